// The orders of operators, each in a dialog that asks for the reason.

const ORDERS = {
  force_open: ["Force open", "Every call is rejected until the time is over or the circuit is reset."],
  disable: ["Disable", "Every call passes and none is judged until the circuit is reset."],
  shadow_on: ["Shadow", "Every call passes. The breaker decides as before and counts the calls that it would have rejected."],
  shadow_off: ["End shadow", "The breaker rejects calls again when its circuit is open."],
  reset: ["Reset", "The circuit closes, and the breaker decides again."],
};

let pending = null;
function ask(order, name) {
  pending = { order, name };
  write($("order-title"), `${ORDERS[order][0]}: ${name}`);
  write($("order-effect"), ORDERS[order][1]);
  write($("confirm"), ORDERS[order][0]);
  write($("refused"), "");
  $("seconds-label").hidden = order !== "force_open";
  $("seconds").value = "";
  $("reason").value = "";
  $("dialog").showModal();
  $("reason").focus();
}
$("cancel").addEventListener("click", () => $("dialog").close());
$("order").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const { order, name } = pending;
    const reason = $("reason").value;
    const isShadow = order.startsWith("shadow");
    const body = isShadow ? { fields: { shadow: order === "shadow_on" }, reason } : { order, reason };
    if (order === "force_open" && $("seconds").value.trim()) body.seconds = $("seconds").value.trim();
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
