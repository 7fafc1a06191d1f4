// Fetches the page again when something has changed, and puts its parts that live in the place of the old ones.
"use strict";
(() => {
  if (!document.querySelector("[data-live]") || !window.EventSource) return;
  let busy = false;
  let again = false;
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const reply = await fetch(location.href, { headers: { accept: "text/html" } });
      if (reply.ok && !reply.redirected) {
        const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
        for (const part of document.querySelectorAll("[data-live]")) {
          const other = fresh.getElementById(part.id);
          const held = part.contains(document.activeElement) || part.querySelector("details[open]");
          if (other && !held && other.outerHTML !== part.outerHTML) part.replaceWith(other);
        }
      }
    } catch { /* The next change tries again. */ }
    busy = false;
    if (again) { again = false; refresh(); }
  };
  // A page that answers a form is not one to fetch again.
  if (document.querySelector("article.card")) return;
  new EventSource("/console/live").addEventListener("change", refresh);
})();
