// The panel's script: sends presses to the server and shows the lamps' states from an event stream.
"use strict";

const WORDS = { received: "received", accepted: "accepted", completed: "completed", cancelled: "cancelled" };
const lampOf = new Map();

const part = name => document.getElementById(name).content.firstElementChild.cloneNode(true);
const say = text => { document.getElementById("said").textContent = text; };

function show(lamp, state, words) {
  lamp.dataset.state = state;
  lamp.querySelector(".word").textContent = words;
}

async function press(tile, lamp, device, key) {
  const before = [lamp.dataset.state, lamp.querySelector(".word").textContent];
  show(lamp, "sending", "sending…");
  try {
    const answer = await fetch("/demo/press", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ device, kind: key.dataset.kind, key: key.dataset.key }),
    });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.message);
    say(`${tile.querySelector("h3").textContent}: recorded, PUBACK after ${said.puback_ms.toFixed(1)} ms.`);
    // A key that raises no request leaves the lamp unchanged.
    if (lamp.dataset.state === "sending") show(lamp, ...before);
  } catch (error) {
    show(lamp, "failed", "not heard");
    say(error.message);
  }
}

// Each button on board is one tab stop; the arrow keys move between its keys (roving tabindex).
function rove(keys) {
  const all = [...keys.children];
  const stop = at => all.forEach((key, n) => { key.tabIndex = n === at ? 0 : -1; });
  stop(0);
  keys.addEventListener("focusin", event => stop(all.indexOf(event.target)));
  keys.addEventListener("keydown", event => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    all[(all.indexOf(event.target) + step + all.length) % all.length].focus();
  });
}

function tileOf({ device, place }) {
  const tile = part("tile");
  const lamp = tile.querySelector(".lamp");
  const keys = tile.querySelector(".keys");
  tile.setAttribute("aria-label", place);
  keys.setAttribute("aria-label", `Keys of ${place}`);
  tile.querySelector("h3").textContent = place;
  keys.addEventListener("click", event => {
    const key = event.target.closest("button");
    if (key) press(tile, lamp, device, key);
  });
  rove(keys);
  lampOf.set(device, lamp);
  return tile;
}

async function stand() {
  const answer = await fetch("/demo/buttons");
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message);
  document.getElementById("site").textContent = said.site;
  for (const { name, buttons } of said.decks) {
    const deck = part("deck");
    deck.querySelector("h2").textContent = name;
    deck.querySelector(".tiles").append(...buttons.map(tileOf));
    document.getElementById("decks").append(deck);
  }
}

function watch() {
  const lamps = new EventSource("/demo/lamps");
  lamps.addEventListener("message", event => {
    for (const [device, { state, by }] of Object.entries(JSON.parse(event.data))) {
      const lamp = lampOf.get(device);
      const words = WORDS[state] ?? state;
      if (lamp) show(lamp, state, by ? `${words} by ${by}` : words);
    }
  });
  lamps.addEventListener("error", () => say("The server doesn't answer; this page tries again by itself."));
  lamps.addEventListener("open", () => say(""));
}

stand().then(watch).catch(error => say(error.message));
