"""The story, told by the running system: `python -m halfopen_demo.story`.

Starts the providers and the backend, breaks them and heals them, and looks at each turn whether what should have
happened did happen. Every number is read from the running processes. It ends with 1 at the first fact that is
not so.
"""

import argparse
import sys
import time
from collections import Counter

import httpx2

from halfopen_demo.clients import PROVIDERS
from halfopen_demo.processes import demo
from halfopen_demo.witness import Answer, Witness

WAIT_SECONDS = 2.0
DEADLINE_SECONDS = 0.5
STATE_NUMBERS = {"closed": 0, "half_open": 1, "open": 2}
ROW = "{:<44}{:<22}{:<11}{:<11}{}"


class NotSo(Exception):
    """A fact that the story expects did not come true."""


class Story:
    """Tells the story to its end, or to the first fact that is not so."""

    def __init__(self, witness: Witness, *, really_break: bool) -> None:
        self.witness = witness
        self.really_break = really_break
        self.facts = 0
        self.answers = Counter[str]()

    def fact(self, what: str, seen: object, expected: object) -> None:
        if seen != expected:
            raise NotSo(f"{what}: expected {expected!r}, saw {seen!r}")
        self.facts += 1

    def say(self, times: int) -> Counter[str]:
        """Sends requests, and counts who answered."""
        return Counter(self.send().by for _ in range(times))

    def send(self) -> Answer:
        answer = self.witness.say()
        self.answers[answer.by] += 1
        return answer

    def row(self, title: str, answers: Counter[str]) -> None:
        """One line of the table: the answers just counted, and the states that `/breakers` tells."""
        told = ", ".join(f"{count} x {who}" for who, count in answers.items())
        states = [self.witness.state(provider).replace("_", "-") for provider in PROVIDERS]
        print(ROW.format(title, told, *states), flush=True)

    def tell(self) -> None:
        print(ROW.format("what happens", "who answers", *PROVIDERS))
        self.all_are_well()
        self.first_one_fails()
        self.circuit_is_open()
        self.probe_fails()
        self.second_one_hangs()
        self.none_is_left()
        self.first_one_is_healed()
        self.others_are_healed()
        self.books_agree()

    def all_are_well(self) -> None:
        answers = self.say(4)
        self.row("all are well", answers)
        self.fact("gemini, the first, answers everything", answers, Counter(gemini=4))

    def first_one_fails(self) -> None:
        if self.really_break:
            self.witness.behave("gemini", "fail")
        answers = self.say(3)
        self.row("gemini answers 503: failover", answers)
        self.fact("openai answers what gemini could not", answers, Counter(openai=3))
        self.fact("gemini's failures are counted", self.witness.counter("gemini", "failed_calls"), 3)
        self.fact("gemini's circuit is open", self.witness.state("gemini"), "open")

    def circuit_is_open(self) -> None:
        received = self.witness.calls_received("gemini")
        answers = self.say(5)
        self.row("its circuit is open: gemini has peace", answers)
        self.fact("openai answers everything", answers, Counter(openai=5))
        self.fact("gemini's breaker rejects", self.witness.counter("gemini", "rejected_calls"), 5)
        self.fact("no call reaches gemini", self.witness.calls_received("gemini"), received)

    def probe_fails(self) -> None:
        self.wait_for_probe("gemini")
        answers = self.say(1)
        self.row("the wait is over, the probe fails", answers)
        self.fact("the client of the probe is answered all the same", answers, Counter(openai=1))
        self.fact("gemini's circuit is open again", self.witness.state("gemini"), "open")
        self.fact("because of the probe", self.witness.causes("gemini")[0], "probe_failed")

    def second_one_hangs(self) -> None:
        self.witness.behave("openai", "hang")
        answers = self.say(3)
        self.row(f"openai hangs, cut off after {DEADLINE_SECONDS:g} s", answers)
        self.fact("deepgram answers", answers, Counter(deepgram=3))
        self.fact("a hang counts as a failure", self.witness.counter("openai", "failed_calls"), 3)
        self.fact("openai's circuit is open", self.witness.state("openai"), "open")

    def none_is_left(self) -> None:
        self.witness.behave("deepgram", "fail")
        answers = Counter[str]()
        last: Answer | None = None

        def rejected_by_all() -> bool:
            nonlocal last
            last = self.send()
            answers[last.by] += 1
            return last.status == 503

        self.witness.until(rejected_by_all, "all three circuits are open")
        assert last
        self.row("deepgram fails too", answers)
        self.fact("the refusal is a problem document", last.content_type, "application/problem+json")
        self.fact("it says why", last.body["code"], "ALL_CIRCUITS_OPEN")
        soonest = min(step["retry_after"] for step in last.body["steps"])
        self.fact("it says when to come again", soonest <= int(last.retry_after or 0) < soonest + 1, True)

    def first_one_is_healed(self) -> None:
        for provider in PROVIDERS:
            self.witness.behave(provider, "healthy")
        self.wait_for_probe("gemini")
        answers = self.say(2)
        self.row("all are healed, gemini's probes succeed", answers)
        self.fact("gemini answers its own probes", answers, Counter(gemini=2))
        self.fact("gemini's circuit is closed", self.witness.state("gemini"), "closed")
        self.fact("because of the probes", self.witness.causes("gemini")[0], "probes_succeeded")

    def others_are_healed(self) -> None:
        self.witness.steer("gemini", "forced_open")
        self.wait_for_probe("openai")
        answers = self.say(2)
        self.row("gemini is forced open: openai's turn", answers)
        self.fact("openai answers its own probes", answers, Counter(openai=2))
        self.witness.steer("openai", "forced_open")
        self.wait_for_probe("deepgram")
        answers = self.say(2)
        self.row("openai is forced open: deepgram's turn", answers)
        self.fact("deepgram answers its own probes", answers, Counter(deepgram=2))
        for provider in ("gemini", "openai"):
            self.witness.steer(provider, "auto")
        answers = self.say(3)
        self.row("both are reset", answers)
        self.fact("gemini answers everything again", answers, Counter(gemini=3))

    def books_agree(self) -> None:
        """The breakers, Prometheus, the providers and the clients must have counted the same."""
        samples, breakers = self.witness.samples(), self.witness.breakers()
        print("\n" + ROW.format("the books", "", *PROVIDERS))
        for title, counter, status in (
            ("calls let through", "total_calls", "attempted"),
            ("  that succeeded", "successful_calls", "success"),
            ("  that failed", "failed_calls", "failure"),
            ("calls rejected", "rejected_calls", "rejected"),
        ):
            told = [breakers[provider]["metrics"][counter] for provider in PROVIDERS]
            print(ROW.format(title, "", *told))
            exposed = [samples["circuit_breaker_calls_total", provider, status] for provider in PROVIDERS]
            self.fact(f"/metrics agrees on the {title.strip()}", exposed, told)
        for provider in PROVIDERS:
            metrics, state = breakers[provider]["metrics"], breakers[provider]["state"]
            self.fact(f"{provider}'s circuit is closed in the end", state, "closed")
            self.fact("/metrics agrees", samples["circuit_breaker_state", provider, ""], STATE_NUMBERS[state])
            self.fact(f"{provider} received these calls", self.witness.calls_received(provider), metrics["total_calls"])
            self.fact(f"{provider}'s successes are answers", self.answers[provider], metrics["successful_calls"])

    def wait_for_probe(self, provider: str) -> None:
        self.witness.until(lambda: self.witness.state(provider) == "half_open", f"{provider}'s circuit admits a probe")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m halfopen_demo.story", description="Tells the story of the demo.")
    parser.add_argument(
        "--leave-healthy", action="store_true", help="does not break gemini, to show that the story then fails"
    )
    options = parser.parse_args()
    start = time.monotonic()
    try:
        with (
            demo(wait_seconds=WAIT_SECONDS, deadline_seconds=DEADLINE_SECONDS) as cast,
            Witness(cast) as witness,
        ):
            story = Story(witness, really_break=not options.leave_healthy)
            story.tell()
    except (NotSo, TimeoutError, ChildProcessError, httpx2.HTTPError) as error:
        print(f"\nNOT SO: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped before its end.", file=sys.stderr)
        return 130
    print(f"\n{story.facts} facts checked, all of them so, in {time.monotonic() - start:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
