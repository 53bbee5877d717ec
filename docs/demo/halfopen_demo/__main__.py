"""Runs the demo until Ctrl-C: `python -m halfopen_demo`, then open the printed URL."""

import argparse
import sys

from halfopen_demo.processes import demo


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m halfopen_demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="port of the page on 127.0.0.1 (default: 8000)")
    parser.add_argument("--wait-seconds", type=float, default=5.0, help="wait before the first probe (default: 5)")
    parser.add_argument(
        "--deadline-seconds", type=float, default=1.0, help="deadline of a call to a provider (default: 1)"
    )
    options = parser.parse_args()
    try:
        with demo(
            port=options.port, wait_seconds=options.wait_seconds, deadline_seconds=options.deadline_seconds
        ) as demo_processes:
            for name, provider in demo_processes.providers.items():
                print(f"{name:10} {provider.url}  (process {provider.process.pid})")
            print(f"{'backend':10} {demo_processes.backend.url}  (process {demo_processes.backend.process.pid})")
            print(f"\nOpen {demo_processes.backend.url} and break something. Ctrl-C stops the demo.", flush=True)
            demo_processes.backend.process.wait()
            print("the backend has stopped", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        print("\nAll stopped.")
        return 0
    except ChildProcessError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
