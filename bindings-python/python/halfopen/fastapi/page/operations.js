// What an operator can do to a circuit, each in a dialog that asks for the reason.

const OPERATIONS = {
  force_open: ["Force open", "Every call is rejected until the time is over or the circuit is reset."],
  disable: ["Disable", "Every call passes and none is judged until the circuit is reset."],
  shadow_on: ["Shadow", "Every call passes. The breaker decides as before and counts the calls that it would have rejected."],
  shadow_off: ["End shadow", "The breaker rejects calls again when its circuit is open."],
  reset: ["Reset", "The circuit closes, and the breaker decides again."],
};

let pending = null;
function ask(operation, name) {
  pending = { operation, name };
  write($("operation-title"), `${OPERATIONS[operation][0]}: ${name}`);
  write($("operation-effect"), OPERATIONS[operation][1]);
  write($("confirm"), OPERATIONS[operation][0]);
  write($("refused"), "");
  $("seconds-label").hidden = operation !== "force_open";
  $("seconds").value = "";
  $("reason").value = "";
  $("dialog").showModal();
  $("reason").focus();
}
$("cancel").addEventListener("click", () => $("dialog").close());
$("operation").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const { operation, name } = pending;
    const reason = $("reason").value;
    const isShadow = operation.startsWith("shadow");
    const body = isShadow ? { fields: { shadow: operation === "shadow_on" }, reason } : { order: operation, reason };
    if (operation === "force_open" && $("seconds").value.trim()) body.seconds = $("seconds").value.trim();
    const circuit = `${base}/${name.split("/").map(encodeURIComponent).join("/")}`;
    const answer = await fetch(`${circuit}/${isShadow ? "config" : "order"}`, {
      method: isShadow ? "PATCH" : "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    if (!answer.ok) {
      const { detail } = await answer.json();
      return write($("refused"), detail);
    }
    $("dialog").close();
    await refresh();
  });
});
