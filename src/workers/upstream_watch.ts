/**
 * Active checks at work: what they find is written on the board, where every thread's balancers read it.
 *
 * Owns: what a change of state means for traffic: a server that comes back begins slowly and with a clean sheet, and
 * whoever waits for room may have it; the connections of one that went down are cut where that is asked for.
 */

import type { Clock } from "../adapter.ts";
import type { Config, ServerConfig, UpstreamConfig } from "../config/config.ts";
import type { CheckParts } from "../health/check.ts";
import type { CheckPlan } from "../health/check_plan.ts";
import { type ServerAtWork, UpstreamHealth } from "../health/upstream_health.ts";
import type { AllotmentMap } from "../upstream/allotments.ts";
import { HEALTH } from "../upstream/board.ts";
import { Member } from "../upstream/member.ts";
import { createRandom } from "../upstream/random.ts";
import { configuredPlaces, type MemberPlace } from "../upstream/upstream.ts";
import type { Surrounded } from "./surroundings.ts";

export interface WatchParts extends Pick<CheckParts, "probe" | "resolve"> {
  readonly config: Config;
  readonly clock: Clock;
  readonly plane: Pick<Surrounded, "board" | "endpoints" | "cutServer" | "freed">;
  /** The servers at work of upstreams whose servers DNS has named, by name; the others have those of the configuration. */
  readonly found: ReadonlyMap<string, readonly MemberPlace[]>;
  /** A check of an upstream's server has ended. */
  checked?(upstream: string, server: string, isWell: boolean): void;
  warn(message: string): void;
}

/** Checks every server whose upstream asks for it, until it is stopped. */
export function watchUpstreams(parts: WatchParts): UpstreamHealth {
  const { config, clock, plane, found } = parts;
  const places = placesAtWork(config, plane.board.allotments, found);
  return new UpstreamHealth(config, plane.endpoints, places, {
    clock,
    probe: parts.probe,
    resolve: (name, answer) => parts.resolve(name, answer),
    random: createRandom(clock.wallTime()),
    unwatched: (slot) => plane.board.board.write(slot, "health", HEALTH.unknown),
    changed: (plan, isUp) => carryOut(parts, plan, isUp),
    checked: (plan, isWell) => parts.checked?.(plan.upstream, plan.address, isWell),
    atWork: (upstream, place) => atWork(parts, upstream, place),
    warn: (line) => parts.warn(line),
  });
}

/** The servers at work of every upstream. @param found those of upstreams whose servers DNS has named. */
export function placesAtWork(
  config: Config,
  allotments: AllotmentMap,
  found: ReadonlyMap<string, readonly MemberPlace[]>,
): ReadonlyMap<string, readonly MemberPlace[]> {
  const upstreams = [...config.upstreams.values()];
  return new Map(
    upstreams.map((one) => [one.name, found.get(one.name) ?? configuredPlaces(one, allotments.get(one.name)!)]),
  );
}

/** What the board says of a server: the same as balancers see. */
function atWork({ clock, plane }: WatchParts, upstream: UpstreamConfig, place: MemberPlace): ServerAtWork {
  const { board, allotments } = plane.board;
  const config = upstream.servers[place.server];
  const connections = board.read(place.slot, "active");
  if (config === undefined) return { connections, service: "in" };
  const index = allotments.get(upstream.name)?.group ?? 0;
  const home = { board, index, name: upstream.name, tell() {}, freed() {} };
  const member = new Member(home, place.slot, config, place.target);
  return { connections, service: serviceOf(member, config, board.tick(clock.now())) };
}

function serviceOf(member: Member, config: ServerConfig, tick: number): ServerAtWork["service"] {
  if (config.down) return "off";
  if (!member.isEnabled) return "disabled";
  if (!member.isInService) return "down";
  return member.isFailing(tick) ? "failing" : "in";
}

/** Takes a server out of service, or in again, for all threads at once: their balancers look at the board for each choice. */
export function switchServer(
  { clock, plane }: Pick<WatchParts, "clock" | "plane">,
  upstream: string,
  slot: number,
  isIn: boolean,
): void {
  const { board, allotments } = plane.board;
  const wasOut = board.read(slot, "disabled") !== 0;
  board.write(slot, "disabled", isIn ? 0 : 1);
  if (!isIn || !wasOut) return;
  // It begins slowly, where it has slowStart, and whoever waits may have it.
  board.write(slot, "backAt", board.tick(clock.now()));
  const group = allotments.get(upstream)?.group;
  if (group !== undefined) plane.freed(group);
}

function carryOut({ clock, plane }: WatchParts, { upstream, slot, check }: CheckPlan, isUp: boolean): void {
  const { board, allotments } = plane.board;
  const isBack = isUp && board.read(slot, "health") === HEALTH.down;
  if (isBack) {
    board.write(slot, "fails", 0);
    board.write(slot, "lostWeight", 0);
  }
  board.setHealth(slot, isUp ? HEALTH.up : HEALTH.down, clock.now());
  const group = allotments.get(upstream)?.group;
  if (isBack && group !== undefined) plane.freed(group);
  if (!isUp && check.onDown === "cut") plane.cutServer(slot);
}
