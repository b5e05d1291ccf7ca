"""What is measured: each module is one program, run in a process of its own."""
