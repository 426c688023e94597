"""What every core of the family promises over its verification port, as assertions.

``semantics`` says what each instruction does, ``environment`` what the
buses and interrupt lines may do, ``checks`` what is asserted, and
``properties`` is the top that a solver is given.
"""
