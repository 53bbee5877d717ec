"use strict";
// The parts of the page share these helpers.

const $ = (id) => document.getElementById(id);
const base = location.pathname.replace(/\/page\/?$/, "");
const steerable = document.body.dataset.steerable === "true";
const STATES = { closed: "closed", half_open: "half-open", open: "open" };

/** Creates an element; text is inserted as text, never as markup. */
function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Sets text only if it changed, so that a screen reader does not repeat it. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A line of a log, which begins with its time. */
function logLine(at, ...children) {
  const date = new Date(at);
  const when = make("time", "soft", date.toLocaleTimeString([], { hour12: false }));
  when.dateTime = date.toISOString();
  return make("li", "", when, " ", ...children);
}

/** A time as people say it. */
function duration(seconds) {
  if (seconds < 0.0005) return "under 1 ms";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Runs an action, and says on the page if the server cannot be reached. */
async function attempt(action) {
  try {
    await action();
    write($("lost"), "");
  } catch (error) {
    write($("lost"), `The server does not answer (${error.message}).`);
  }
}

