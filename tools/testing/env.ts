// SPDX-License-Identifier: Apache-2.0
// What a test may know of the machine it runs on: shared data, outside tools, full or reduced counts.
// What is missing becomes a skip that says so, or a failure under IRQKIT_REQUIRE=1.
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const shared = resolve(root, process.env['IRQKIT_SHARED'] ?? '../shared');
const required = process.env['IRQKIT_REQUIRE'] === '1';
const campaign = process.env['IRQKIT_CAMPAIGN'] === '1';

/** For every random generator: a failure must come back the next time. */
export const seed = 0x1c_9117;

export const hasShared = existsSync(shared);

export function sharedPath(...parts: string[]): string {
  return join(shared, ...parts);
}

/** The number of random runs: `reduced` day to day, `full` under `npm run campaign`. */
export function runs(reduced: number, full: number): number {
  return campaign ? full : reduced;
}

export function describeWithShared(title: string, body: () => void): void {
  describeIf(hasShared, 'no shared data', title, body);
}

export function describeWithTool(tool: string, title: string, body: () => void): void {
  describeIf(isOnPath(tool), `no ${tool}`, title, body);
}

function describeIf(present: boolean, reason: string, title: string, body: () => void): void {
  if (present) describe(title, body);
  else if (required) throw new Error(`${title}: ${reason}, and IRQKIT_REQUIRE=1`);
  else describe.skip(`${title} (skipped: ${reason})`, body);
}

function isOnPath(tool: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
