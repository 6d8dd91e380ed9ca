// SPDX-License-Identifier: Apache-2.0
// Every recorded translation whose mapping still stands at the next snapshot, from that snapshot alone.

import { isAccess } from '../../capture/capture.js';
import type { CapturedEvent } from '../../capture/capture.js';
import type { RamSnapshot } from '../../capture/ram-snapshot.js';
import type { SmmuTables } from '../../capture/smmu-tables.js';
import { JsonRecord } from '../../capture/json-lines.js';
import type { CoveredRegion } from '../../adapter.js';
import type { ReplaySession } from '../../replay-session.js';
import { placeText, targetText } from './replayed-smmus.js';
import { addressOf } from './smmu-unit.js';
import { leafTarget, smmuBoard, unitAt } from './standing-mappings.js';

export const STANDING = 'translations from RAM alone';

export function compareStanding(session: ReplaySession, region: CoveredRegion): void {
  const { capture, tally } = session;
  const translations = capture.records.filter(
    (record): record is CapturedEvent => !isAccess(record) && record.event === 'translate_success',
  );
  const bySnapshot = new Map<RamSnapshot | undefined, CapturedEvent[]>();
  for (const event of translations) {
    const ram = session.ramAfter(event.n);
    const own = bySnapshot.get(ram) ?? [];
    own.push(event);
    bySnapshot.set(ram, own);
  }
  for (const [ram, events] of bySnapshot) {
    const tables = capture.smmuTables.find(({ n }) => n === ram?.n);
    if (ram && tables) compareAt(session, region, ram, tables, events);
    else events.forEach(() => tally.notCovered(STANDING, 'no snapshot with a list of what it maps'));
  }
}

function compareAt(
  session: ReplaySession,
  region: CoveredRegion,
  ram: RamSnapshot,
  tables: SmmuTables,
  events: readonly CapturedEvent[],
): void {
  const { capture, tally } = session;
  const board = smmuBoard(session, region.path);
  try {
    const unit = unitAt(board, region, capture, ram);
    for (const event of events) {
      const record = new JsonRecord(`${capture.dir}/${event.file}:${event.line}`, event.fields);
      const streamId = record.integer('sid');
      const iova = record.words('iova');
      const leaf = tables.leafOf(streamId, addressOf(iova));
      const stands = leaf && leafTarget(leaf, addressOf(iova));
      const expected = targetText(record.address('pa'), record.string('perm'));
      if (!stands) tally.notCovered(STANDING, 'no longer mapped at the snapshot');
      else if (targetText(stands.pa, stands.perm) !== expected)
        tally.notCovered(STANDING, 'mapped otherwise by the time of the snapshot');
      else {
        const pa = unit.translate(streamId, iova, !stands.perm.includes('r'));
        const got = targetText(pa, unit.permission(streamId, iova));
        tally.compare(STANDING, event, placeText(streamId, iova), expected, got);
      }
    }
  } finally {
    board.dispose();
  }
}
