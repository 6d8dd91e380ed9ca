// SPDX-License-Identifier: Apache-2.0

import pc from 'picocolors';
import type { ReplayReport } from '@irqkit/replay';
import type { CliIo } from '../../io.js';
import { part, table } from '../../print/table.js';

export function printReplay(io: CliIo, report: ReplayReport): string {
  const { kinds, replayed, given, notCovered, departures, excluded = [] } = report;
  const { cpuWrites, deviceWrites } = replayed;
  const writes = cpuWrites + deviceWrites > 0;
  const parts = [
    writes ? `${report.dir}: ${cpuWrites} writes by processors and ${deviceWrites} by devices\n` : `${report.dir}\n`,
  ];
  if (kinds.length > 0) {
    const rows = kinds.map((one) => [one.kind, one.agreed, one.compared, one.given]);
    parts.push(part(io, 'Agreement', table(io, ['kind', 'agree', 'compared', 'of which given'], rows)));
  }
  const sources = (list: typeof given) => list.map(({ what, count, why }) => [what, count, why]);
  if (given.length > 0)
    parts.push(part(io, 'Given from the capture', table(io, ['input', 'count', 'why'], sources(given))));
  if (notCovered.length > 0)
    parts.push(part(io, 'Not covered', table(io, ['what', 'count', 'why'], sources(notCovered))));
  if (excluded.length > 0) {
    const rows = excluded.map(({ line, scenario, call, n, reason }) => [line, scenario, call, n, reason]);
    parts.push(part(io, 'Excluded', table(io, ['line', 'scenario', 'call', 'n', 'reason'], rows)));
  }
  if (departures.length > 0) {
    const rows = departures.map(({ what, count, why, section }) => [what, count, section, why]);
    const head = ['what', 'count', 'section', 'why'];
    parts.push(part(io, 'Where the recording departs from the manual', table(io, head, rows)));
  }
  parts.push(verdict(io, report));
  return parts.join('\n');
}

function verdict(io: CliIo, { kinds, given, excluded, firstDisagreement: first }: ReplayReport): string {
  const { green, red, yellow } = pc.createColors(io.color);
  const compared = kinds.reduce((sum, kind) => sum + kind.compared, 0);
  const agreed = kinds.reduce((sum, kind) => sum + kind.agreed, 0);
  const inputs = given.reduce((sum, { count }) => sum + count, 0);
  if (compared === 0) return `${yellow('nothing was compared: nothing here replays any of this')}\n`;
  const sums = excluded && `${compared} compared, ${excluded.length} excluded, ${compared - agreed} disagreeing; `;
  const counts = `${sums ?? ''}${agreed} of ${compared} agree, ${inputs} inputs were given`;
  if (!first) return `${green(counts)}\n`;
  const { file, line, n, kind, place, expected, got } = first;
  const where = line === undefined ? file : `${file}:${line} (n ${n})`;
  return `${red(counts)}\nfirst disagreement at ${where}: ${kind}: ${place}: expected ${expected}, got ${got}\n`;
}
