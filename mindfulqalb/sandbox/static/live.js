// Shows what has changed without a reload, unless somebody is busy with the page.
(function () {
  "use strict";

  const pause = 2000;
  let known = null;

  function isBusy() {
    const main = document.querySelector("main");
    const active = document.activeElement;
    return document.hidden || main.querySelector("details[open]") || (active && main.contains(active) && active.matches("input, select, textarea"));
  }

  async function refresh() {
    const response = await fetch(window.location.href);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    document.querySelector("main").replaceWith(page.querySelector("main"));
    document.querySelector("nav").replaceWith(page.querySelector("nav"));
  }

  async function look() {
    const response = await fetch("/control/revision");
    const { revision } = await response.json();
    if (known !== null && revision !== known && !isBusy()) {
      await refresh();
      known = revision;
    } else if (known === null) {
      known = revision;
    }
  }

  function watch() {
    look().catch(() => {}).finally(() => setTimeout(watch, pause));
  }

  watch();
})();
