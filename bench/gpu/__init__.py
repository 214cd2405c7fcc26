"""What a graphics card makes of it: see bench/gpu.py, which runs this, and bench/results/README.md, which reads it.

    plan      which cases there are, and in which order they are worth the time
    conduct   runs them in a process that may die without taking the rest along
    cases     from a case to the code that measures it
    table     the tables, the JSON, the numbers to reach

Nothing here imports torch or GL before a case needs it: `--dry` prints the plan on any machine.
"""
