// The providers of orchestrators: the next call, and the reasons.

const ROLES = { normal: "", probe: "as a probe", unhealthy: "although its record is bad", last_resort: "as the last resort" };
const REASONS = {
  open: "its circuit is open", probes_busy: "its probe is on its way", forced_open: "an operator forced it open",
  cooling_down: "it cools down", full: "it is full", draining: "it is drained", disabled: "it is switched off",
  missing_capability: "it cannot do what is needed", too_small: "the request is too large", tried: "it has just failed",
  reserved: "it is a last resort",
};
const TONES = { open: "away", probes_busy: "probe", forced_open: "operator", cooling_down: "away", full: "away", draining: "operator", disabled: "operator" };
const SWITCHES = {
  failure: "the call failed", unavailable: "it was not available", probe: "a probe", return_to_primary: "back to the first one",
  stream_broken: "its stream broke", hedge: "the other one was faster",
};
const STRENGTHS = ["85%", "55%", "35%", "22%", "14%"];
const percent = (share) => `${Math.round(share * 100)} %`;
const pools = [];

/** The card of an orchestrator, which stays in place. */
function poolAt(index) {
  if (!pools[index]) {
    const card = $("pool").content.firstElementChild.cloneNode(true);
    pools[index] = { card, rows: new Map() };
    $("pools").append(card);
  }
  return pools[index];
}

function rowOf(pool, name, index) {
  if (!pool.rows.has(name)) {
    const row = $("provider").content.firstElementChild.cloneNode(true);
    row.dataset.provider = name;
    const segment = make("i");
    for (const element of [segment, row]) element.style.setProperty("--strength", STRENGTHS[Math.min(index, STRENGTHS.length - 1)]);
    write(row.querySelector("h3"), name);
    pool.card.querySelector(".shares").append(segment);
    pool.card.querySelector(".ranking").append(row);
    pool.rows.set(name, { row, segment });
  }
  return pool.rows.get(name);
}

/** The situation of a provider: a sentence that counts down, the seconds that are left, and the share of a slow start. */
function situation(provider) {
  const { passed_over: reason, retry_after_seconds: wait, slow_start_share: share } = provider;
  if (reason) {
    const text = `Passed over: ${REASONS[reason] ?? reason}`;
    return { tone: TONES[reason] ?? "", left: wait, text: (left) => (left === null ? `${text}.` : `${text}, back in ${duration(left)}.`) };
  }
  if (share !== null) {
    const text = (left) => `Slow start: it gets ${percent(share)} of its share, and all of it in ${duration(left)}.`;
    return { tone: "slow", left: provider.slow_start_for, share, text };
  }
  if (provider.role === "probe") return { tone: "probe", left: null, text: () => "Its next call is a probe." };
  if (provider.role === "unhealthy") return { tone: "slow", left: null, text: () => "Last in its tier: few of its recent calls succeeded." };
  return { tone: "", left: null, text: () => "" };
}

function showProvider(pool, provider, index) {
  const { row, segment } = rowOf(pool, provider.provider, index);
  segment.style.setProperty("--share", provider.chosen_share);
  row.dataset.state = provider.state;
  write(row.querySelector(".badge"), STATES[provider.state]);
  const declared = [provider.model, `tier ${provider.tier}`, provider.weight === 1 ? null : `weight ${provider.weight}`];
  write(row.querySelector(".declared"), declared.filter(Boolean).join(" · "));
  write(row.querySelector(".share b"), percent(provider.chosen_share));
  write(row.querySelector(".share span"), `${provider.chosen.toLocaleString("en")} calls`);
  const { success_rate: rate, call_seconds: call, first_item_seconds: first, in_flight: inFlight } = provider;
  const record = [
    rate === null ? "no recent record" : `${percent(rate)} of recent calls succeeded`,
    call === null ? null : `${duration(call)} a call`, first === null ? null : `first content after ${duration(first)}`,
    inFlight ? `${inFlight} in flight` : null,
  ];
  write(row.querySelector(".record"), record.filter(Boolean).join(" · "));
  const { last_switch: last } = provider;
  write(row.querySelector(".last"), last ? `Last switch at ${new Date(last.at * 1000).toLocaleTimeString([], { hour12: false })}: ${last.old} → ${last.new}, ${SWITCHES[last.cause] ?? last.cause}.` : "");
  const now = situation(provider);
  // The bar is as long as the wait was when it was first seen.
  const before = row.now;
  const isSame = before && before.tone === now.tone && now.left !== null && before.whole >= now.left;
  row.now = { ...now, whole: isSame ? before.whole : now.left, until: now.left === null ? null : performance.now() + now.left * 1000 };
  row.dataset.tone = now.tone;
}

function showPool(orchestrator, index) {
  const pool = poolAt(index);
  const ranked = orchestrator.providers.filter(({ place }) => place !== null).sort((one, other) => one.place - other.place);
  const facts = [orchestrator.strategy.replaceAll("_", " "), `${orchestrator.sessions.toLocaleString("en")} sessions`, `budget ${orchestrator.tokens} of 100`];
  write(pool.card.querySelector(".facts"), facts.join(" · "));
  const [next, ...others] = ranked.map(({ provider, role }) => [provider, ROLES[role]].filter(Boolean).join(" "));
  const sentence = next ? `The next call goes to ${[next, ...others].join(", then ")}.` : "No provider is available.";
  write(pool.card.querySelector(".next"), sentence);
  orchestrator.providers.forEach((provider, at) => showProvider(pool, provider, at));
  const shares = orchestrator.providers.map(({ provider, chosen_share: share }) => `${provider} ${percent(share)}`);
  pool.card.querySelector(".shares").setAttribute("aria-label", `Choices of the last ${duration(orchestrator.chosen_seconds)}: ${shares.join(", ")}`);
}

/** A choice, a switch or a cooldown, as a sentence. */
function choiceLine(event) {
  const tell = (tone, what, why, ...more) => {
    const line = logLine(event.at * 1000, make("span", tone && "to", what), ` ${why}`, ...more);
    line.dataset.state = tone;
    return line;
  };
  if (event.old) return tell("half_open", `${event.old} → ${event.new}`, SWITCHES[event.cause] ?? event.cause);
  if (event.scope) return tell("open", event.provider, `cools down for ${duration(event.seconds)} (${event.scope.replaceAll("_", " ")})`);
  const passed = event.passed_over.map(([provider, reason]) => `not ${provider}: ${REASONS[reason] ?? reason}`);
  const why = [ROLES[event.role], event.attempt > 1 ? `attempt ${event.attempt}` : ""].filter(Boolean);
  const more = passed.length ? [make("div", "soft", passed.join(", "))] : [];
  return tell(event.role === "probe" ? "half_open" : "", event.provider, why.join(", "), ...more);
}

function showChoices(orchestrators) {
  const events = orchestrators.flatMap(({ choices, switches, cooldowns }) => [...choices, ...switches, ...cooldowns]);
  const newest = events.sort((one, other) => other.at - one.at || other.sequence - one.sequence).slice(0, 40);
  const list = $("choices");
  const key = newest.map(({ at, sequence }) => `${at} ${sequence}`).join();
  if (list.dataset.key === key && list.children.length) return;
  list.dataset.key = key;
  list.replaceChildren(...(newest.length ? newest.map(choiceLine) : [make("li", "soft", "No choices yet.")]));
}

/** Counts the waits down between two events. */
function countDown() {
  for (const { rows } of pools) {
    for (const { row } of rows.values()) {
      const { until, whole, share, text } = row.now;
      const left = until === null ? null : Math.max(0, (until - performance.now()) / 1000);
      write(row.querySelector(".note"), text(left));
      const bar = row.querySelector(".wait i");
      if (left === null) bar.removeAttribute("style");
      else bar.style.width = `${100 * (share ?? (whole ? left / whole : 0))}%`;
    }
  }
}

if (document.body.dataset.providers === "true") {
  $("choices-card").hidden = false;
  const followed = new EventSource(`${base.replace(/[^/]*$/, "")}providers/events`);
  followed.addEventListener("providers", ({ data }) => {
    const orchestrators = JSON.parse(data);
    orchestrators.forEach(showPool);
    showChoices(orchestrators);
    countDown();
  });
  setInterval(countDown, 200);
}
