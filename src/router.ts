/**
 * Finds the route of a name.
 *
 * Owns: the precedence (as nginx's `map` with `hostnames`): exact, longest leading wildcard, longest trailing
 * wildcard, regular expressions in file order, default. It must not normalise: names come canonical from
 * `hostname.ts`, and nothing of a name is ever looked up in a plain object.
 */

import type { RoutePattern } from "./hostname.ts";

export class Router<Route extends RoutePattern> {
  readonly #default: Route;
  readonly #exact = new Map<string, Route>();
  /** By the name behind `*.` or `.`. */
  readonly #suffix = new Map<string, Route>();
  /** The names of `.name` patterns, which hold the name itself too. */
  readonly #apex = new Map<string, Route>();
  /** By the name before `.*`. */
  readonly #prefix = new Map<string, Route>();
  readonly #regexes: { readonly regex: RegExp; readonly route: Route }[] = [];

  /** @param routes in file order, no two with one meaning. @param fallback what everything else gets. */
  constructor(routes: Iterable<Route>, fallback: Route) {
    this.#default = fallback;
    for (const route of routes) this.#add(route);
  }

  #add(route: Route): void {
    const pattern: RoutePattern = route;
    switch (pattern.kind) {
      case "exact":
        this.#exact.set(pattern.name, route);
        break;
      case "suffix":
        // A wildcard and a dot form of one name differ only in the name itself, which is kept beside the exact ones.
        if (pattern.apex) this.#apex.set(pattern.name, route);
        if (!pattern.apex || !this.#suffix.has(pattern.name)) this.#suffix.set(pattern.name, route);
        break;
      case "prefix":
        this.#prefix.set(pattern.name, route);
        break;
      case "regex":
        this.#regexes.push({ regex: pattern.regex, route });
        break;
      case "default":
        break;
    }
  }

  /** The route of a canonical name; of `undefined` (no name was sent) the default. The route's `kind` says how it matched. */
  match(name: string | undefined): Route {
    if (name === undefined) return this.#default;
    return (
      this.#exact.get(name) ??
      this.#matchSuffix(name) ??
      this.#matchPrefix(name) ??
      this.#matchRegex(name) ??
      this.#default
    );
  }

  #matchSuffix(name: string): Route | undefined {
    if (this.#suffix.size === 0) return undefined;
    const apex = this.#apex.get(name);
    if (apex !== undefined) return apex;
    for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
      const found = this.#suffix.get(name.slice(dot + 1));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #matchPrefix(name: string): Route | undefined {
    if (this.#prefix.size === 0) return undefined;
    for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1)) {
      const found = this.#prefix.get(name.slice(0, dot));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #matchRegex(name: string): Route | undefined {
    for (const { regex, route } of this.#regexes) if (regex.test(name)) return route;
    return undefined;
  }
}
