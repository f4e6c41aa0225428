// Time: the line of "now" in the swimlanes can be dragged, or moved with the keys. Where it is let
// go fills the form "Advance to" and leads to its button, which says the instant; Enter sends it.
// Without this script the form does the same.
"use strict";

(() => {
  const form = document.getElementById("go-to");
  const told = document.getElementById("drag-told");
  const go = form.querySelector("button");
  const svg = () => document.getElementById("lanes-svg");
  const line = () => document.getElementById("now-line");
  const NEAR = 8; // of the picture's own units: what is due so close draws the line to it
  let wanted = null; // an instant in milliseconds, once the line was moved

  const facts = () => {
    const { start, end, now, left, right, step, due } = svg().dataset;
    const [from, to, l, r] = [start, end, left, right].map(Number);
    return {
      from, to, now: Number(now), step: Number(step),
      due: due ? due.split(" ").map(Number) : [],
      x: (at) => l + ((at - from) / (to - from)) * (r - l),
      at: (x) => from + ((x - l) / (r - l)) * (to - from),
    };
  };
  const shown = (at) => new Date(at).toISOString().slice(0, 19).replace("T", " ") + " UTC";

  const units = () => svg().viewBox.baseVal.width / svg().getBoundingClientRect().width; // a pixel
  function longFrom(ms) {
    const minutes = Math.round(ms / 60000);
    const parts = [[Math.floor(minutes / 1440), "d"], [Math.floor(minutes / 60) % 24, "h"], [minutes % 60, "min"]];
    return parts.filter(([n]) => n).map((each) => each.join(" ")).join(" ") || "less than a minute";
  }

  // Names stay in sight when the picture is scrolled sideways.
  function showNames() {
    const shift = Math.round(svg().parentElement.scrollLeft * units());
    for (const name of svg().querySelectorAll(".name")) name.setAttribute("transform", `translate(${shift} 0)`);
  }

  function place() {
    if (!svg() || !line()) return;
    showNames();
    const f = facts();
    const at = wanted === null ? f.now : Math.min(Math.max(wanted, f.now), f.to);
    const g = line();
    g.setAttribute("transform", `translate(${f.x(at).toFixed(1)} 0)`);
    g.setAttribute("role", "slider");
    g.setAttribute("tabindex", "0");
    g.setAttribute("aria-label", "Where to advance to");
    g.setAttribute("aria-valuemin", f.now);
    g.setAttribute("aria-valuemax", Math.round(f.to));
    g.setAttribute("aria-valuenow", Math.round(at));
    g.setAttribute("aria-valuetext", at > f.now ? shown(at) : `now, ${shown(f.now)}`);
    g.classList.toggle("moved", at > f.now);
    document.getElementById("drag-how").hidden = false;
  }

  function choose(at) {
    const f = facts();
    wanted = Math.round(Math.min(Math.max(at, f.now), f.to));
    if (wanted <= f.now) wanted = null; // time does not go back
    const text = new Date(wanted ?? Math.ceil(f.now)).toISOString();
    form.elements.date.value = text.slice(0, 10);
    form.elements.time.value = text.slice(11, 23);
    told.value = wanted === null ? "" : `${longFrom(wanted - f.now)} from now`;
    say();
    place();
  }

  function say() {
    go.textContent = wanted === null ? "Go there" : `Go to ${shown(wanted)}`;
  }

  // Where a pointer is, in the picture's own units.
  const across = (event) => {
    const box = svg().getBoundingClientRect();
    return (event.clientX - box.left) * units();
  };
  const drawn = (x) => {
    const f = facts();
    const close = f.due.filter((at) => Math.abs(f.x(at) - x) <= NEAR);
    return close.length ? close[0] : f.at(x);
  };

  document.addEventListener("scroll", (event) => {
    if (svg()?.parentElement === event.target) showNames();
  }, true);
  document.addEventListener("pointerdown", (event) => {
    const g = event.target.closest("#now-line");
    if (!g || event.button) return;
    g.setPointerCapture(event.pointerId);
    g.focus();
    event.preventDefault();
  });
  document.addEventListener("pointermove", (event) => {
    const g = event.target.closest("#now-line");
    if (g?.hasPointerCapture(event.pointerId)) choose(drawn(across(event)));
  });
  document.addEventListener("pointerup", (event) => {
    if (event.target.closest("#now-line") && wanted !== null) go.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "now-line") return;
    const f = facts();
    const at = wanted ?? f.now;
    const moved = {
      ArrowRight: at + f.step, ArrowUp: at + f.step, ArrowLeft: at - f.step, ArrowDown: at - f.step,
      PageUp: f.due.find((each) => each > at) ?? at + 4 * f.step,
      PageDown: f.due.findLast((each) => each < at) ?? f.now,
      Home: f.now, End: f.to,
    }[event.key];
    if (event.key === "Enter" && wanted !== null) form.requestSubmit();
    if (event.key === "Escape") choose(f.now);
    if (moved === undefined) return;
    event.preventDefault();
    choose(moved);
  });
  form.addEventListener("input", () => {
    const at = Date.parse(`${form.elements.date.value}T${form.elements.time.value || "00:00"}Z`);
    wanted = isNaN(at) || !svg() || at <= facts().now ? null : at;
    told.value = "";
    say();
    place();
  });

  new MutationObserver(place).observe(document.getElementById("main"), { childList: true, subtree: true });
  form.dispatchEvent(new Event("input"));
  const box = svg()?.parentElement; // on a narrow screen: now in sight
  if (box) {
    const f = facts();
    box.scrollLeft = f.x(f.now) / units() - box.clientWidth / 2;
  }
})();
