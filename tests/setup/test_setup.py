import importlib.util
import shutil
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("setup_machine", Path(__file__).with_name("machine.py"))
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
Machine, ROOT = _module.Machine, _module.ROOT

ADMIN = "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends "


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_first_run_installs_and_second_does_nothing(machine):
    first = machine.setup()
    assert first.returncode == 0, first.stdout
    assert "ready after" in first.stdout
    installs = machine.calls("pip install")
    assert len(installs) == 2
    assert all("-c requirements-dev.lock" in line for line in installs)
    assert "--no-build-isolation -e .[tools]" in installs[1]
    second = machine.setup()
    assert (second.returncode, second.stdout) == (0, "")
    assert machine.calls() == []


def test_dev_serves_run_but_not_the_other_way(machine):
    assert machine.setup("run").returncode == 0
    machine.calls()
    said = machine.setup("dev").stdout + "".join(machine.calls())
    assert "-e .[tools,wasm,formal,isa,nn,sweep,dev]" in said
    assert machine.setup("run").stdout == ""


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements-dev.lock"])
def test_a_change_of_what_it_is_made_from_installs_again(machine, name):
    machine.setup("dev")
    machine.calls()
    path = machine.checkout / name
    path.write_text(path.read_text() + "\n# changed\n")
    assert machine.setup("run").returncode == 0
    # What was a complete environment stays one, and is not made anew.
    assert "-e .[tools,wasm,formal,isa,nn,sweep,dev]" in machine.calls("pip install")[1]
    assert machine.calls("-m venv") == []


def test_touching_without_changing_does_nothing(machine):
    machine.setup()
    machine.calls()
    (machine.checkout / "pyproject.toml").touch()
    assert machine.setup().stdout == ""


def test_failing_pip_is_said_and_the_next_run_starts_over(machine):
    (machine.folder / "pip-fails").write_text("ERROR: Temporary failure in name resolution\n")
    failed = machine.setup()
    assert failed.returncode == 3
    assert "Temporary failure in name resolution" in failed.stdout
    assert "can this machine reach a package index?" in failed.stdout
    (machine.folder / "pip-fails").unlink()
    machine.calls()
    again = machine.setup()
    assert again.returncode == 0
    assert ".venv was left half-made; making it anew" in again.stdout
    assert len(machine.calls("-m venv")) == 1


def test_a_pin_that_does_not_fit_gives_way(machine):
    (machine.folder / "pip-fails").write_text("ERROR: No matching distribution found for numpy==2\n")
    failed = machine.setup()
    assert "the locked versions do not all fit this Python" in failed.stdout
    assert any("-c requirements-dev.lock" not in line for line in machine.calls("pip install"))


def test_killed_in_the_middle_is_noticed(machine):
    machine.setup()
    machine.calls()
    (machine.checkout / ".venv/.suzuri-unfinished").touch()
    (machine.checkout / ".venv/leftover").touch()
    assert "left half-made" in machine.setup().stdout
    assert not (machine.checkout / ".venv/leftover").exists()


def test_a_moved_checkout_is_noticed(machine):
    machine.setup()
    machine.checkout = machine.checkout.rename(machine.folder / "elsewhere")
    assert ".venv was made in another place; making it anew" in machine.setup().stdout
    assert machine.setup().stdout == ""


def test_a_virtual_environment_made_by_hand_is_kept(machine):
    machine.setup()
    shutil.copytree(machine.checkout / ".venv", machine.folder / "by-hand")
    (machine.folder / "by-hand/.suzuri-ready").unlink()
    (machine.folder / "by-hand/mine").touch()
    shutil.rmtree(machine.checkout / ".venv")
    (machine.folder / "by-hand").rename(machine.checkout / ".venv")
    assert machine.setup().returncode == 0
    assert (machine.checkout / ".venv/mine").exists()


def test_another_environment_does_not_leak_in(machine):
    machine.setup(PYTHONPATH="/elsewhere", VIRTUAL_ENV="/elsewhere", PYTHONHOME="/elsewhere")
    calls = machine.calls("python")
    assert calls
    assert not [line for line in calls if "/elsewhere" in line]


def test_without_privileges_the_administrators_command_is_named(tmp_path):
    machine = Machine(tmp_path, complete=False)
    machine.apt("exit 1")
    said = machine.setup("dev")
    assert said.returncode == 0
    assert f"{ADMIN}make g++ perl zlib1g-dev iverilog opensta qflow-tech-osu018" in said.stdout
    assert "opensta            for timing and power" in said.stdout
    assert machine.calls("apt-get") == []
    again = machine.setup("dev")
    assert again.returncode == 0
    assert again.stdout.count("\n") == 1
    assert "still missing: make g++" in again.stdout


def test_root_gets_the_packages(tmp_path):
    machine = Machine(tmp_path, root=True, complete=False)
    machine.apt(f"for w in g++ make; do echo >{machine.bin}/$w; chmod +x {machine.bin}/$w; done")
    said = machine.setup()
    assert said.returncode == 0
    installs = machine.calls("apt-get")
    assert "install --no-install-recommends -y make g++ perl zlib1g-dev iverilog opensta" in installs[0]
    assert "DPkg::Lock::Timeout" in installs[0]
    assert "chromium" not in installs[0]
    assert "  g++" not in said.stdout


def test_failing_apt_is_said_once_and_not_tried_on_every_make(tmp_path):
    machine = Machine(tmp_path, root=True, complete=False)
    machine.apt('echo "E: Could not resolve the archive"; exit 100')
    said = machine.setup()
    assert said.returncode == 0
    assert "apt-get said: E: Could not resolve the archive" in said.stdout
    assert ADMIN in said.stdout
    machine.calls()
    assert machine.setup().stdout.count("\n") == 1
    assert machine.calls("apt-get") == []


def test_a_package_that_the_release_lacks_does_not_stop_the_others(tmp_path):
    machine = Machine(tmp_path, root=True, complete=False)
    machine.apt('case "$*" in *opensta*) echo "E: Unable to locate package opensta"; exit 100 ;; esac')
    said = machine.setup()
    assert "apt-get could not install opensta" in said.stdout
    assert "apt-get could not install iverilog" not in said.stdout


def test_apt_can_be_forbidden(tmp_path):
    machine = Machine(tmp_path, root=True, complete=False)
    machine.apt("exit 0")
    assert machine.setup(SUZURI_NO_APT="1").returncode == 0
    assert machine.calls("apt-get") == []


def test_python_without_a_shared_library_asks_for_it(tmp_path):
    machine = Machine(tmp_path, score=1)
    machine.apt("exit 1")
    assert "libpython3.11      for simulation with cocotb" in machine.setup().stdout
    library = machine.system / "usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0"
    library.parent.mkdir(parents=True)
    library.touch()
    assert machine.setup().stdout == ""


def test_no_ensurepip_and_no_privileges(tmp_path):
    machine = Machine(tmp_path)
    machine.apt("exit 1")
    (tmp_path / "no-ensurepip").touch()
    said = machine.setup()
    assert said.returncode == 3
    assert "it said: ensurepip is not available" in said.stdout
    assert f"{ADMIN}python3.11-venv" in said.stdout


def test_no_python_at_all(tmp_path):
    machine = Machine(tmp_path)
    machine.apt("exit 1")
    machine.program("python3", f"#!{machine.bash}\nexit 127\n")
    said = machine.setup()
    assert said.returncode == 3
    assert "Python 3.11 or later is needed" in said.stdout
    assert f"{ADMIN}python3 python3-venv" in said.stdout


def test_an_unknown_level_is_refused(machine):
    said = machine.setup("everything")
    assert said.returncode == 2
    assert "usage: .ci/setup.sh run|dev" in said.stdout


@pytest.mark.parametrize(
    ("lint", "test", "code"),
    [(0, 0, 0), (1, 0, 1), (0, 5, 1), (0, 1, 1)],
    ids=["good", "lint", "no-test", "test"],
)
def test_ci_fails_with_lint_tests_or_no_test(machine, lint, test, code):
    machine.program(
        "make",
        f'#!{machine.bash}\ncase "$*" in *lint*) exit {lint} ;; esac\n'
        f'echo "CI=$CI PDK_ROOT=${{PDK_ROOT-}}"\necho "7 passed in 0.01s"\nexit {test}\n',
    )
    said = machine.run(str(machine.checkout / ".ci/run"))
    assert said.returncode == code
    assert "CI=true PDK_ROOT=\n" in said.stdout
    assert said.stdout.endswith("7 passed in 0.01s\n")


def test_ci_finds_the_pdks_beside_the_checkout(machine):
    pdks = machine.folder / "shared/pdks"
    pdks.mkdir(parents=True)
    machine.program("make", f'#!{machine.bash}\necho "PDK_ROOT=$PDK_ROOT"\n')
    assert f"PDK_ROOT={pdks}\n" in machine.run(str(machine.checkout / ".ci/run")).stdout
    assert "PDK_ROOT=/mine\n" in machine.run(str(machine.checkout / ".ci/run"), PDK_ROOT="/mine").stdout


def test_the_lock_pins_every_requirement_and_names_no_host():
    import tomllib

    from packaging.requirements import Requirement

    text = (ROOT / "requirements-dev.lock").read_text()
    assert "://" not in text
    pins = dict(line.split("==") for line in text.splitlines() if not line.startswith("#"))
    pins = {name.lower().replace("_", "-"): version for name, version in pins.items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [
        *project["dependencies"],
        *(r for e in ("tools", "wasm", "formal", "pdk", "dev") for r in extras[e]),
    ]
    for requirement in map(Requirement, wanted):
        name = requirement.name.lower().replace("_", "-")
        assert name in pins, f"{name} is not locked; run: make requirements"
        assert requirement.specifier.contains(pins[name]), f"{name}; run: make requirements"


def test_make_help_names_every_target():
    import subprocess

    if shutil.which("make") is None:
        pytest.skip("make is not installed: apt-get install make")
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", ROOT], capture_output=True, text=True, check=True
    )
    for target in ("demo", "test", "nightly", "lint", "bench", "doctor", "clean", "distclean", "help"):
        assert f"\n  {target} " in done.stdout
