// The circuits and their transitions.

const SEVERITY = { open: 0, half_open: 1, closed: 2 };
/** The state, and the mode if an operator has set one. */
const label = ({ state, mode, config }) =>
  ({ forced_open: "forced open", disabled: "disabled" })[mode] ?? STATES[state] + (config.shadow ? ", shadow" : "");
const NUMBERS = {
  total_calls: "calls", failed_calls: "failed", rejected_calls: "rejected", slow_calls: "slow",
  in_flight: "in flight", consecutive_failures: "failures in a row",
};
const cards = new Map();

function cardOf(name) {
  if (!cards.has(name)) {
    const card = make("article", "card circuit", make("div", "head", make("h2", "", name), make("span", "badge")),
      make("p", "why"), make("dl"));
    for (const [field, label] of Object.entries(NUMBERS)) {
      const value = make("dd");
      value.dataset.field = field;
      card.querySelector("dl").append(make("div", "", make("dt", "", label), value));
    }
    if (steerable) {
      const steer = make("div", "row steer");
      for (const [operation, [label]] of Object.entries(OPERATIONS)) {
        const button = make("button", "", label);
        button.dataset.operation = operation;
        button.setAttribute("aria-label", `${label}: ${name}`);
        button.addEventListener("click", () => ask(operation, name));
        steer.append(button);
      }
      card.append(steer);
    }
    cards.set(name, card);
  }
  return cards.get(name);
}

function show(statuses) {
  const wanted = $("filter").value.toLowerCase();
  const shown = statuses
    .filter(({ name, provider_id }) => `${name} ${provider_id}`.toLowerCase().includes(wanted))
    .sort((a, b) => SEVERITY[a.state] - SEVERITY[b.state] || a.name.localeCompare(b.name));
  const counts = Object.keys(SEVERITY).map((state) => [statuses.filter((it) => it.state === state).length, STATES[state]]);
  write($("summary"), counts.map(([count, state]) => `${count} ${state}`).join(", ") + ".");
  for (const status of shown) {
    const card = cardOf(status.name);
    card.dataset.state = status.state;
    for (const button of card.querySelectorAll("[data-operation^=shadow]")) button.hidden = (button.dataset.operation === "shadow_on") === status.config.shadow;
    write(card.querySelector(".badge"), label(status));
    write(card.querySelector(".why"), status.explanation);
    for (const value of card.querySelectorAll("dd")) write(value, status.metrics[value.dataset.field].toLocaleString("en"));
  }
  const nodes = shown.map(({ name }) => cards.get(name));
  const list = $("list");
  // Elements that stay in place keep their focus, so the list changes only if the order does.
  if (nodes.length !== list.children.length || nodes.some((node, i) => node !== list.children[i])) {
    const focused = document.activeElement;
    list.replaceChildren(...(nodes.length ? nodes : [make("p", "soft", statuses.length ? "No circuit matches." : "No circuit has been created yet.")]));
    if (list.contains(focused)) focused.focus();
  }
}

async function refresh() {
  const answer = await fetch(base || "/");
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  show(await answer.json());
}

const events = new EventSource(`${base}/events`);
let first = true;
events.addEventListener("transition", ({ data }) => {
  const event = JSON.parse(data);
  const to = make("span", "to", `${STATES[event.from_state]} → ${STATES[event.to_state]}`);
  const line = logLine(event.at, `${event.circuit}: `, to, ` ${event.cause.replaceAll("_", " ")}`);
  line.dataset.state = event.to_state;
  const list = $("transitions");
  if (first) list.replaceChildren();
  first = false;
  list.prepend(line);
  while (list.children.length > 200) list.lastChild.remove();
  attempt(refresh);
});

$("filter").addEventListener("input", () => attempt(refresh));
(async () => { for (;;) { await attempt(refresh); await new Promise((resolve) => setTimeout(resolve, 1_000)); } })();
