// SPDX-License-Identifier: GPL-3.0-or-later
// Plays an asciicast (version 2) that has nothing but colours and lines, as docs/recording/record.py makes it, in every
// <div class="player" data-cast="ID">, ID being that of the element whose text is the recording. Without a script, the page shows what is in the
// div: a still.
"use strict";

const COLOURS = {31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 34: "#79c0ff", 35: "#d2a8ff", 36: "#76e3ea", 90: "#8b949e"};

// Text with colours, as elements after the others of `screen`; what a colour is on is kept from one piece to the next.
function write(screen, state, text) {
  for (const part of text.replaceAll("\r", "").split(/(\x1b\[[0-9;]*m)/)) {
    const codes = part.match(/^\x1b\[([0-9;]*)m$/);
    if (!codes) {
      if (!part) continue;
      const piece = document.createElement("span");
      piece.textContent = part;
      piece.style.color = COLOURS[state.colour] ?? "";
      piece.style.fontWeight = state.bold ? "bold" : "";
      screen.append(piece);
      continue;
    }
    for (const code of codes[1].split(";").map(Number)) {
      if (code === 0) Object.assign(state, {colour: 0, bold: false});
      else if (code === 1) state.bold = true;
      else state.colour = code;
    }
  }
}

// When each event is shown: as it was, but no pause longer than the recording says.
function paced(head, events) {
  let before = 0, now = 0;
  return events.map(([at, , text]) => {
    now += Math.min(at - before, head.idle_time_limit ?? Infinity);
    before = at;
    return {at: now, text};
  });
}

class Player {
  constructor(box, cast) {
    const [head, ...events] = cast.trim().split("\n").map((line) => JSON.parse(line));
    this.events = paced(head, events);
    this.length = this.events.at(-1).at;
    this.screen = document.createElement("pre");
    this.screen.style.setProperty("--columns", head.width);
    this.button = document.createElement("button");
    this.bar = Object.assign(document.createElement("input"), {type: "range", min: 0, max: this.length, step: "any", value: 0});
    this.bar.ariaLabel = "Place in the recording";
    const controls = document.createElement("div");
    controls.className = "controls";
    controls.append(this.button, this.bar, `${Math.round(events.at(-1)[0])} s`);
    box.replaceChildren(this.screen, controls);
    this.button.addEventListener("click", () => this.play(!this.playing));
    this.bar.addEventListener("input", () => this.seek(Number(this.bar.value)));
    // Until somebody plays it, the end is what is seen.
    this.seek(this.length);
    this.play(false);
    // Letters that get smaller or larger with the page would move what is seen.
    new ResizeObserver(() => this.show()).observe(this.screen);
  }

  seek(at) {
    this.screen.replaceChildren();
    this.state = {colour: 0, bold: false};
    this.next = 0;
    this.at = at;
    this.show();
  }

  show() {
    while (this.next < this.events.length && this.events[this.next].at <= this.at) write(this.screen, this.state, this.events[this.next++].text);
    this.screen.scrollTop = this.screen.scrollHeight;
    this.bar.value = this.at;
  }

  play(on) {
    this.playing = on;
    this.button.textContent = on ? "Pause" : "Play";
    if (!on) return;
    if (this.at >= this.length) this.seek(0);
    let before = performance.now();
    const step = (now) => {
      if (!this.playing) return;
      this.at = Math.min(this.at + (now - before) / 1000, this.length);
      before = now;
      this.show();
      if (this.at < this.length) requestAnimationFrame(step);
      else this.play(false);
    };
    requestAnimationFrame(step);
  }
}

for (const box of document.querySelectorAll(".player[data-cast]")) new Player(box, document.getElementById(box.dataset.cast).textContent);
