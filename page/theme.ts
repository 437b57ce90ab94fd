/**
 * Dark, light, or as the system has it.
 *
 * Owns: the choice, which this browser keeps.
 */

import { button } from "./element.ts";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const KEPT = "certless-theme";

function kept(): Theme {
  const value = localStorage.getItem(KEPT);
  return THEMES.find((theme) => theme === value) ?? "auto";
}

/** A button that goes through the three. */
export function createThemeButton(): HTMLButtonElement {
  let theme = kept();
  const show = (): void => {
    document.documentElement.dataset.theme = theme;
    made.textContent = `◐ ${theme}`;
    made.setAttribute("aria-label", `Theme: ${theme}`);
  };
  const made = button("", { class: "ghost" }, () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
    localStorage.setItem(KEPT, theme);
    show();
  });
  show();
  return made;
}
