"""A scripted outage on the running system: `python -m halfopen_demo.scenario`.

Starts the providers and the backend, breaks and heals them, and checks the effects of each step. Every number is read
from the running processes. The exit code is 1 at the first check that fails.
"""

import argparse
import sys
import time
from collections import Counter
from typing import Any

import httpx2

from halfopen_demo.clients import PROVIDERS
from halfopen_demo.demo_client import Answer, DemoClient
from halfopen_demo.processes import demo

WAIT_SECONDS = 2.0
DEADLINE_SECONDS = 0.5
ROW = "{:<42}{:<24}{:<11}{:<11}{}"


class CheckFailed(Exception):
    """A check of the scenario failed."""


class Scenario:
    """Runs the scenario until the end, or until the first failed check."""

    def __init__(self, client: DemoClient, *, break_gemini: bool) -> None:
        self.client = client
        self.break_gemini = break_gemini
        self.checks = 0
        self.answers = Counter[str]()

    def check(self, name: str, seen: object, expected: object) -> None:
        if seen != expected:
            raise CheckFailed(f"{name}: expected {expected!r}, saw {seen!r}")
        self.checks += 1

    def say(self, times: int) -> Counter[str]:
        """Sends requests, and counts the answers of each provider."""
        return Counter(self.send().by for _ in range(times))

    def send(self) -> Answer:
        answer = self.client.say()
        self.answers[answer.by] += 1
        return answer

    def row(self, title: str, answers: Counter[str]) -> None:
        """Prints one line of the table: the counted answers, and the states from `/breakers`."""
        answered_by = ", ".join(f"{count} x {who}" for who, count in answers.items())
        states = [self.client.state(provider).replace("_", "-") for provider in PROVIDERS]
        print(ROW.format(title, answered_by, *states), flush=True)

    def run(self) -> None:
        print(ROW.format("step", "answered by", *PROVIDERS))
        self.all_healthy()
        self.a_stream_moves()
        self.first_fails()
        self.circuit_is_open()
        self.probe_fails()
        self.second_hangs()
        self.nobody_left()
        self.first_two_recover()
        self.third_recovers()
        self.counters_agree()

    def all_healthy(self) -> None:
        answers = self.say(4)
        self.row("all are healthy", answers)
        self.check("gemini, the first, answers everything", answers, Counter(gemini=4))

    def a_stream_moves(self) -> None:
        tokens: list[str] = []
        restart: dict[str, Any] = {}
        end: dict[str, Any] = {}
        for kind, event in self.client.tell("Hello"):
            if kind == "token":
                tokens.append(event["text"])
                if len(tokens) == 4 and self.break_gemini and not restart:
                    self.client.set_behaviour("gemini", "fail")
            elif kind == "restart":
                restart = event
                tokens.clear()
            else:
                end = event
        self.client.set_behaviour("gemini", "healthy")
        by = str(end.get("provider"))
        self.answers[by] += 1
        self.row("gemini breaks in mid-stream", Counter({by: 1}))
        self.check("the stream moves from gemini to openai", (restart.get("old"), by), ("gemini", "openai"))
        self.check("with openai's whole answer", "".join(tokens)[:34], "The simulated openai received: Hel")
        self.check("the broken stream is a failure", self.client.counter("gemini", "failed_calls"), 1)
        answers = self.say(1)
        self.row("it works again", answers)
        self.check("gemini answers", answers, Counter(gemini=1))

    def first_fails(self) -> None:
        if self.break_gemini:
            self.client.set_behaviour("gemini", "fail")
        answers = self.say(3)
        self.row("gemini answers 503: failover", answers)
        self.check("openai answers what gemini could not", answers, Counter(openai=3))
        self.check("gemini's failures are counted", self.client.counter("gemini", "failed_calls"), 4)
        self.check("gemini's circuit is open", self.client.state("gemini"), "open")

    def circuit_is_open(self) -> None:
        received = self.client.calls_received("gemini")
        answers = self.say(4)
        last = self.send()
        answers[last.by] += 1
        self.row("its circuit is open: no calls to gemini", answers)
        self.check("openai answers everything", answers, Counter(openai=5))
        self.check("the answer says why not gemini", last.body["steps"][0]["detail"], "open")
        self.check("no call reaches gemini", self.client.calls_received("gemini"), received)

    def probe_fails(self) -> None:
        self.wait_for_probe("gemini")
        answers = self.say(1)
        self.row("the wait is over, the probe fails", answers)
        self.check("the client of the probe gets an answer", answers, Counter(openai=1))
        self.check("gemini's circuit is open again", self.client.state("gemini"), "open")
        self.check("because of the probe", self.client.causes("gemini")[0], "probe_failed")

    def second_hangs(self) -> None:
        self.client.set_behaviour("openai", "hang")
        answers = self.say(3)
        self.row(f"openai hangs, deadline {DEADLINE_SECONDS:g} s", answers)
        self.check("deepgram answers", answers, Counter(deepgram=3))
        self.check("a hang counts as a failure", self.client.counter("openai", "failed_calls"), 3)
        self.check("openai's circuit is open", self.client.state("openai"), "open")

    def nobody_left(self) -> None:
        self.client.set_behaviour("deepgram", "fail")
        answers = Counter[str]()
        last: Answer | None = None

        def nobody_is_asked() -> bool:
            nonlocal last
            last = self.send()
            answers[last.by] += 1
            return last.status == 503 and all(step["outcome"] == "passed_over" for step in last.body["steps"])

        self.client.wait_until(nobody_is_asked, "all three circuits are open")
        assert last
        self.row("deepgram fails too", answers)
        self.check("the rejection is a problem document", last.content_type, "application/problem+json")
        self.check("it has the reason", last.body["code"], "ALL_PROVIDERS_FAILED")
        soonest = min(step["retry_after"] for step in last.body["steps"])
        self.check("it has Retry-After", soonest <= int(last.retry_after or 0) < soonest + 1, True)

    def first_two_recover(self) -> None:
        for provider in PROVIDERS:
            self.client.set_behaviour(provider, "healthy")
        for provider in ("gemini", "openai"):
            self.wait_for_probe(provider)
        answers = self.say(4)
        self.row("all are healthy, probes take turns", answers)
        self.check("each answers its own probes", answers, Counter(gemini=2, openai=2))
        for provider in ("gemini", "openai"):
            self.check(f"{provider}'s circuit is closed", self.client.state(provider), "closed")
            self.check("because of the probes", self.client.causes(provider)[0], "probes_succeeded")

    def third_recovers(self) -> None:
        for provider in ("gemini", "openai"):
            self.client.order(provider, "force_open")
        self.wait_for_probe("deepgram")
        answers = self.say(2)
        self.row("both are forced open: deepgram probes", answers)
        self.check("deepgram answers its own probes", answers, Counter(deepgram=2))
        for provider in ("gemini", "openai"):
            self.client.order(provider, "reset")
        answers = self.say(3)
        self.row("both are reset", answers)
        self.check("gemini answers everything again", answers, Counter(gemini=3))

    def counters_agree(self) -> None:
        """The breakers, Prometheus, the providers and the clients must report the same counts."""
        samples, breakers = self.client.samples(), self.client.breakers()
        print("\n" + ROW.format("counters", "", *PROVIDERS))
        for title, counter, series, kind in (
            ("calls that succeeded", "successful_calls", "halfopen_calls_total", "success"),
            ("  that failed", "failed_calls", "halfopen_calls_total", "failure"),
            ("  that were ignored", "ignored_calls", "halfopen_calls_total", "ignored"),
            ("calls rejected", "rejected_calls", "halfopen_rejections_total", None),
        ):
            counts = [breakers[provider]["metrics"][counter] for provider in PROVIDERS]
            print(ROW.format(title, "", *counts))
            kinds = [kind] if kind else ["open", "probes_busy", "forced_open"]
            exposed = [sum(samples[series, provider, kind] for kind in kinds) for provider in PROVIDERS]
            self.check(f"/metrics agrees on the {title.strip()}", exposed, counts)
        for provider in PROVIDERS:
            metrics, state = breakers[provider]["metrics"], breakers[provider]["state"]
            self.check(f"{provider}'s circuit is closed in the end", state, "closed")
            self.check("/metrics agrees", samples["halfopen_state", provider, state], 1)
            self.check(f"{provider} received these calls", self.client.calls_received(provider), metrics["total_calls"])
            self.check(f"{provider}'s successes are answers", self.answers[provider], metrics["successful_calls"])

    def wait_for_probe(self, provider: str) -> None:
        self.client.wait_until(
            lambda: self.client.state(provider) == "half_open", f"{provider}'s circuit admits a probe"
        )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m halfopen_demo.scenario", description="Runs the scripted outage of the demo."
    )
    parser.add_argument(
        "--leave-healthy", action="store_true", help="do not break gemini, to show that the scenario then fails"
    )
    options = parser.parse_args()
    start = time.monotonic()
    try:
        with (
            demo(wait_seconds=WAIT_SECONDS, deadline_seconds=DEADLINE_SECONDS, slow_start_seconds=0) as demo_processes,
            DemoClient(demo_processes) as client,
        ):
            scenario = Scenario(client, break_gemini=not options.leave_healthy)
            scenario.run()
    except (CheckFailed, TimeoutError, ChildProcessError, httpx2.HTTPError) as error:
        print(f"\nFAILED: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    print(f"\n{scenario.checks} checks passed in {time.monotonic() - start:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
