// The console works without this file. With it: a dangerous act's button waits for the typed name,
// countdowns count, command lines can be copied, and "/" goes to the search field.
"use strict";
(() => {
  for (const field of document.querySelectorAll("input[data-must-equal]")) {
    const button = field.form.querySelector("button[type=submit]");
    const judge = () => { button.disabled = field.value !== field.dataset.mustEqual; };
    field.addEventListener("input", judge);
    judge();
  }

  const until = [...document.querySelectorAll("time[data-until]")];
  const count = () => {
    for (const time of until) {
      const left = Math.max(0, Math.floor((Date.parse(time.dateTime) - Date.now()) / 1000));
      const [h, m, s] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
      const pad = (n) => String(n).padStart(2, "0");
      time.textContent = left === 0 ? "over" : `${h}:${pad(m)}:${pad(s)} left`;
    }
  };
  if (until.length > 0) {
    count();
    setInterval(count, 1000);
  }

  for (const line of document.querySelectorAll(".cli code")) {
    if (!navigator.clipboard) break;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy: ${line.textContent}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(line.textContent);
      button.textContent = "Copied";
    });
    line.after(button);
  }

  for (const button of document.querySelectorAll("button[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }

  // Whatever goes on is read again, and only that part of the page is put in its place.
  const going = document.querySelector("[data-refresh]");
  if (going) {
    const again = async () => {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(going.id);
      if (!fresh) return;
      document.getElementById(going.id).replaceWith(fresh);
      if (fresh.hasAttribute("data-refresh")) setTimeout(again, 2000);
    };
    setTimeout(again, 2000);
  }

  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    const search = document.querySelector("input[type=search]");
    if (event.key === "/" && !typing && search) {
      event.preventDefault();
      search.focus();
    }
  });
})();
