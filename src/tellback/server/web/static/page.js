// The page's manners: menus, theme, dialogs, keys. No state but the address and the theme's cookie.
(() => {
  "use strict";
  const $ = (selector) => document.querySelector(selector);

  // --- theme: a cookie, so that the server writes it into the first byte and nothing flashes
  function theme() {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
    document.dispatchEvent(new Event("tellback:theme"));
  }

  // --- the filter bar
  const menus = () => document.querySelectorAll("details.menu[open]");
  const closeMenus = (but) => { for (const menu of menus()) if (menu !== but) menu.open = false; };

  function submit(form) {
    form.requestSubmit();
  }

  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!menu.matches?.("details.menu")) return;
    if (menu.open) {
      closeMenus(menu);
      const pop = menu.querySelector(".pop[hx-get]");
      if (pop && !pop.dataset.fetched) {
        pop.dataset.fetched = "yes";
        pop.dispatchEvent(new Event("open"));
      }
      menu.querySelector(".pop input")?.focus();
    } else if (menu.dataset.changed) {
      delete menu.dataset.changed;
      submit(menu.closest("form"));
    }
  }, true);

  document.addEventListener("change", (event) => {
    const menu = event.target.closest("details.menu[data-column]");
    if (menu && event.target.type === "checkbox") menu.dataset.changed = "yes";
  });

  document.addEventListener("input", (event) => {
    if (event.target.dataset.find === undefined) return;
    const words = event.target.value.toLowerCase();
    for (const value of event.target.closest(".pop").querySelectorAll(".pick")) {
      value.hidden = !value.textContent.toLowerCase().includes(words);
    }
  });

  // An address holds what was chosen and nothing else: empty fields, and a range beside days, stay out of it.
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-filters]");
    if (form) {
      for (const field of form.querySelectorAll("input")) if (!field.value) field.disabled = true;
      const days = form.querySelectorAll("input[type=date]:not(:disabled)");
      if (days.length) form.querySelector("[data-range]")?.setAttribute("disabled", "");
      for (const menu of form.querySelectorAll("[data-changed]")) delete menu.dataset.changed;
    }
    const sure = event.target.dataset?.sure;
    if (sure && !confirm(sure)) event.preventDefault();
  }, true);

  // --- records
  const rows = () => [...document.querySelectorAll("tr[data-record]")];

  function open(row) {
    for (const one of document.querySelectorAll("tr.at")) one.classList.remove("at");
    row.classList.add("at");
    row.scrollIntoView({ block: "nearest" });
    row.querySelector("a[hx-get]").click();
  }

  function move(by) {
    const all = rows(), at = all.findIndex((row) => row.classList.contains("at"));
    const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
    if (next) open(next);
  }

  document.addEventListener("htmx:after:swap", (event) => {
    const sheet = $("#sheet");
    if (sheet && event.detail?.ctx?.target?.id === "sheet-inside") {
      if (!sheet.open) sheet.showModal();
      sheet.scrollTop = 0;
    }
  });

  // --- a panel that came later
  document.addEventListener("htmx:after:swap", (event) => {
    const panel = event.detail?.ctx?.target;
    if (!panel?.classList?.contains("loading")) return;
    // Below the fold it may have the height that it needs: nothing that anybody sees moves.
    const below = panel.getBoundingClientRect().top >= innerHeight;
    panel.classList.remove("loading");
    panel.classList.toggle("late", !below);
    panel.removeAttribute("aria-busy");
  });

  document.addEventListener("htmx:error", (event) => {
    const panel = event.detail?.ctx?.target;
    if (!panel?.classList?.contains("loading")) return;
    panel.firstElementChild.textContent = "No answer: the server could not be reached. Press r to ask again.";
    panel.removeAttribute("aria-busy");
  });

  // On a narrow screen what to narrow down by starts folded.
  const unfold = (button) => button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") === "false"));

  // --- clicks
  const actions = { theme, help: () => $("#help").showModal(), close: (button) => button.closest("dialog")?.close(), unfold };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) return actions[button.dataset.do](button);
    if (event.target.matches("dialog")) return event.target.close(); // the backdrop
    if (!event.target.closest("details.menu")) closeMenus();
    const row = event.target.closest("tr[data-record]");
    if (row && !getSelection().toString()) {
      const link = event.target.closest("a");
      if (!link) open(row);
      else if (link.hasAttribute("hx-get")) { $("tr.at")?.classList.remove("at"); row.classList.add("at"); }
    }
  });

  // --- keys
  let going = 0;

  function pressed(event) {
    if (event.key === "Escape") {
      const menu = menus()[0];
      if (menu) { delete menu.dataset.changed; menu.open = false; menu.querySelector("summary").focus(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const inSheet = $("#sheet")?.open;
    if ($("#help")?.open) return;
    const act = keys(event, inSheet);
    if (act) { event.preventDefault(); act(); }
  }

  function keys(event, inSheet) {
    const link = (selector) => { const found = $(selector); return found && (() => found.click()); };
    if (event.key === "j") return () => move(1);
    if (event.key === "k") return () => move(-1);
    if (inSheet) return null;
    if (Date.now() - going < 1500) { going = 0; return link(`.side nav [data-key="${CSS.escape(event.key)}"]`); }
    if (event.key === "g") return () => { going = Date.now(); };
    if (event.key === "/") return () => { const q = $("#q"); if (q) q.focus(); else location.assign(search()); };
    if (event.key === "?") return $("#help") && (() => $("#help").showModal());
    if (event.key === "t") return theme;
    if (event.key === "r") return () => location.reload();
    return /^[1-4]$/.test(event.key) ? link(`.ranges [data-key="${event.key}"]`) : null;
  }

  function search() {
    return $('.side nav a[data-key="r"]').getAttribute("href") + "#q";
  }

  document.addEventListener("keydown", pressed);
  document.addEventListener("DOMContentLoaded", () => {
    if (location.hash === "#q") $("#q")?.focus();
  });

  // --- a line on top while something is asked
  let asked = 0;
  const asking = (by) => { asked = Math.max(0, asked + by); document.body.classList.toggle("asking", asked > 0); };
  document.addEventListener("htmx:before:request", () => asking(1));
  document.addEventListener("htmx:finally:request", () => asking(-1));
})();
