"use strict";
/* Opened as a file, it does not know how hosts reach it. */
if (location.protocol.startsWith("http")) {
  document.getElementById("address").textContent = new URL(".", location).href.replace(/\/$/, "");
}
const filter = document.getElementById("filter");
filter.hidden = false;
filter.addEventListener("input", () => {
  const wanted = filter.value.toLowerCase().split(/\s+/);
  for (const article of document.querySelectorAll("article")) {
    article.hidden = !wanted.every((word) => article.dataset.words.includes(word));
  }
});
if (navigator.clipboard) {
  for (const text of document.querySelectorAll("pre")) {
    const button = document.createElement("button");
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text.querySelector("code").textContent + "\n");
      button.textContent = "Copied";
    });
    text.prepend(button);
  }
}
