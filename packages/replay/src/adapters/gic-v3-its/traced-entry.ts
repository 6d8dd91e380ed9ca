// SPDX-License-Identifier: Apache-2.0
// Table entries that QEMU traced as it read or wrote them, beside what the model has in memory.

import { hex } from '@irqkit/bits';
import type { CapturedEvent } from '../../capture/capture.js';
import type { ItsTables } from './its-tables.js';

/** The address of an interrupt translation table is kept in these units. */
const ITT_UNIT = 0x100;

export interface TracedEntry {
  /** `DTE of DeviceID 0x8` */
  readonly place: string;
  readonly expected: string;
  readonly got: string;
}

/** `DTE of DeviceID 0x8`; undefined where the event is of no table entry. */
export function entryName({ event, fields }: CapturedEvent): string | undefined {
  const field = (name: string): string => hex(Number(fields[name]));
  switch (/^([dic]te)_(read|write)$/.exec(event)?.[1]) {
    case 'dte':
      return `DTE of DeviceID ${field('deviceid')}`;
    case 'ite':
      return `ITE of EventID ${field('eventid')} at ${field('ittaddr')}`;
    case 'cte':
      return `CTE of collection ${field('icid')}`;
    default:
      return undefined;
  }
}

/** What the event says of the entry and what memory says; undefined where the entry cannot be found by its index. */
export function tracedEntry(event: CapturedEvent, place: string, tables: ItsTables): TracedEntry | undefined {
  const { layout } = tables;
  if (!layout || layout.CTE.ICID) return undefined;
  const field = (name: string): number => Number(event.fields[name]);
  const { DTE, ITE, CTE } = layout;
  switch (event.event.slice(0, 3)) {
    case 'dte': {
      // What is traced of a write is the field, of a read the address.
      const itt = field('ittaddr') * (event.event === 'dte_write' ? ITT_UNIT : 1);
      const got = shown(tables.deviceEntry(field('deviceid')), DTE.Valid, (words) =>
        deviceText(DTE.Size(words), DTE.ITT_addr(words) * ITT_UNIT),
      );
      return { place, expected: field('valid') ? deviceText(field('size'), itt) : 'invalid', got };
    }
    case 'ite': {
      const address = field('ittaddr') + field('eventid') * ITE.bytes;
      const got = shown(tables.load(address, ITE.bytes), ITE.Valid, (words) =>
        eventText(ITE.pINTID(words), ITE.ICID(words)),
      );
      return { place, expected: field('valid') ? eventText(field('intid'), field('icid')) : 'invalid', got };
    }
    default: {
      const got = shown(tables.collectionEntry(field('icid')), CTE.Valid, (words) => collectionText(CTE.RDbase(words)));
      return { place, expected: field('valid') ? collectionText(field('rdbase')) : 'invalid', got };
    }
  }
}

function shown(
  words: Uint32Array | undefined,
  valid: (words: Uint32Array) => number,
  text: (words: Uint32Array) => string,
): string {
  if (!words) return 'no memory';
  return valid(words) === 0 ? 'invalid' : text(words);
}

function deviceText(size: number, itt: number): string {
  return `size ${size}, ITT ${hex(itt)}`;
}

function eventText(intid: number, icid: number): string {
  return `LPI ${intid}, collection ${icid}`;
}

function collectionText(rdbase: number): string {
  return `redistributor ${rdbase}`;
}
