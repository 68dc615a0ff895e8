// SPDX-License-Identifier: GPL-3.0-or-later
// What a person would see of a page of the site, told by the page itself: how wide it is, whether the list of pages is seen or what unfolds it,
// whether it is dark, how much it loads from elsewhere, whether the guides are in the list, whether all of its text stands out from what is behind it; on
// the first page, whether the recording plays.
"use strict";

const seen = (selector) => document.querySelector(selector).checkVisibility();
const light = getComputedStyle(document.body).backgroundColor.match(/\d+/g).every((part) => Number(part) > 128);
const elsewhere = performance.getEntriesByType("resource").filter((each) => !each.name.startsWith("file:"));
const facts = [document.documentElement.scrollWidth];
facts.push(seen("aside") ? "list" : "no-list", seen(".unfold") ? "unfold" : "no-unfold", light ? "light" : "dark", elsewhere.length);
document.querySelector("#unfold").checked = true;
facts.push([...document.querySelectorAll("aside a")].filter((link) => link.checkVisibility()).length > 10 ? "guides" : "no-guides");

// Contrast as WCAG has it, between what a text is written in and the next ground below it that is not see-through.
const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
const luminance = (colour) => {
  const [red, green, blue] = parts(colour).map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const ground = (element) => {
  const own = getComputedStyle(element).backgroundColor;
  return parts(own)[3] === 0 ? ground(element.parentElement) : own;
};
const contrast = (element) => {
  const [dark, bright] = [getComputedStyle(element).color, ground(element)].map(luminance).sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
};
const texts = [...document.querySelectorAll("main *")].filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
const faint = texts.find((each) => !each.closest("svg") && each.checkVisibility() && contrast(each) < 4.5);
facts.push(faint ? `faint:${faint.tagName}.${faint.className}:${contrast(faint).toFixed(1)}`.replaceAll(" ", ".") : "readable");

const button = document.querySelector(".player button");
const tell = () => parent.postMessage(facts.join(" "), "*");
if (button) {
  const text = () => document.querySelector(".player pre").textContent.length;
  const whole = text();
  button.click();
  setTimeout(() => {
    facts.push(text() > 0 && text() < whole ? "plays" : "stands");
    tell();
  }, 1500);
} else {
  tell();
}
