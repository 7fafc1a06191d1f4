// Fetches the page again when something has changed, and puts its parts that live in the place of the old ones.
"use strict";
(() => {
  if (!document.querySelector("[data-live]") || !window.EventSource) return;
  let busy = false;
  let again = false;
  const focusable = (part) => [...part.querySelectorAll("a[href], button, [tabindex]")];
  // What is typed, opened or marked is not taken from under the hands.
  const held = (part) => {
    const marked = getSelection();
    return part.contains(document.activeElement?.closest("input, select, textarea")) ||
      part.querySelector("details[open]") || (!marked.isCollapsed && part.contains(marked.anchorNode));
  };
  // A keyboard stays where it was, and a log that was read at its end is followed.
  const replace = (part, other) => {
    const at = focusable(part).indexOf(document.activeElement);
    const tops = [...part.querySelectorAll("pre")].map((log) =>
      log.scrollTop + log.clientHeight >= log.scrollHeight - 4 ? Infinity : log.scrollTop);
    part.replaceWith(other);
    other.querySelectorAll("pre").forEach((log, index) => {
      log.scrollTop = Math.min(tops[index] ?? Infinity, log.scrollHeight);
    });
    if (at >= 0) focusable(other)[at]?.focus({ preventScroll: true });
  };
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const reply = await fetch(location.href, { headers: { accept: "text/html" } });
      if (reply.ok && !reply.redirected) {
        const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
        for (const part of document.querySelectorAll("[data-live]")) {
          const other = fresh.getElementById(part.id);
          if (other && !held(part) && other.outerHTML !== part.outerHTML) replace(part, other);
        }
      }
    } catch { /* The next change tries again. */ }
    busy = false;
    if (again) { again = false; refresh(); }
  };
  // A page that answers a form is not one to fetch again.
  if (document.querySelector("article.card")) return;
  const changes = new EventSource("/console/live");
  changes.addEventListener("change", refresh);
  // What was committed while nobody listened, before the stream began or while it was broken.
  changes.addEventListener("open", refresh);
})();
