"""The catalogue of reusable blocks: each a folder with a component, a model, ``ip.toml`` and a README."""
