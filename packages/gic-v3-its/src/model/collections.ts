// SPDX-License-Identifier: Apache-2.0
// Collections, and the redistributor each is mapped to: in memory, and in the ITS itself up to GITS_TYPER.HCC.
// IHI 0069, section 5.2.

import type { Dma, LpiSink } from '@irqkit/core';
import type { ItsParameters } from '../silicon.js';
import { BaseTable } from './base-table.js';
import { IndexedPlaces, ListedPlaces } from './collection-places.js';
import type { CollectionPlaces } from './collection-places.js';
import type { ItsError } from './its-error.js';
import { TableEntry } from './table-entry.js';

/** What `held` has for a collection that is not mapped. */
const UNMAPPED = -1;

export class Collections {
  readonly table: BaseTable;
  /** RDbase of the collections that the ITS holds itself: its registers as much as GITS_BASER<n> are. */
  readonly held: Float64Array;
  readonly #parameters: ItsParameters;
  readonly #lpis: LpiSink;
  readonly #cte: TableEntry;
  readonly #places: CollectionPlaces;
  /** The redistributor of the collection that find() found last. */
  target = -1;

  constructor(dma: Dma, parameters: ItsParameters, lpis: LpiSink) {
    const { CTE } = parameters.layout;
    this.#parameters = parameters;
    this.#lpis = lpis;
    this.held = new Float64Array(parameters.nrHeldCollections).fill(UNMAPPED);
    this.table = new BaseTable(dma, CTE.bytes);
    this.#cte = new TableEntry(dma, CTE.bytes);
    const first = parameters.cumulativeCollections ? this.held.length : 0;
    this.#places = CTE.ICID
      ? new ListedPlaces(dma, this.table, CTE, CTE.ICID)
      : new IndexedPlaces(dma, this.table, CTE.bytes, first);
  }

  // CHOICE: where GITS_TYPER.CCT is 0 and there are both kinds, those below HCC stay in the ITS and memory counts from 0.
  /** ICIDs below this have an entry. */
  get limit(): number {
    const held = this.held.length;
    const { nrCollectionIds, cumulativeCollections } = this.#parameters;
    const all = cumulativeCollections ? held + this.table.entries : Math.max(held, this.table.entries);
    return Math.min(nrCollectionIds, all);
  }

  /** The redistributor that an RDbase names, -1 for none. */
  targetOf(rdbase: number): number {
    return this.#lpis.target(rdbase, this.#parameters.pta);
  }

  map(icid: number, rdbase: number): ItsError | undefined {
    if (icid >= this.limit) return 'COLLECTION_OOR';
    if (this.targetOf(rdbase) < 0) return 'PROCNUM_OOR';
    if (icid < this.held.length) {
      this.held[icid] = rdbase;
      return undefined;
    }
    const { Valid, RDbase, ICID } = this.#parameters.layout.CTE;
    const { words } = this.#cte;
    words.fill(0);
    Valid.put(words, 1);
    RDbase.put(words, rdbase);
    ICID?.put(words, icid);
    if (RDbase(words) !== rdbase) return 'TABLE';
    const address = this.#places.place(icid);
    if (address >= 0 && this.#cte.store(address)) return undefined;
    this.#places.drop();
    return 'TABLE';
  }

  unmap(icid: number): ItsError | undefined {
    if (icid >= this.limit) return 'COLLECTION_OOR';
    if (icid >= this.held.length) {
      if (this.#places.remove(icid)) return undefined;
      this.#places.drop();
      return 'TABLE';
    }
    this.held[icid] = UNMAPPED;
    return undefined;
  }

  /** Finds where a collection goes; leaves `target`. */
  find(icid: number): ItsError | undefined {
    if (icid >= this.limit) return 'COLLECTION_OOR';
    const rdbase = icid < this.held.length ? this.held[icid] : this.#load(icid);
    if (rdbase < 0) return 'UNMAPPED_COLLECTION';
    // Memory may name a redistributor that no MAPC would.
    this.target = this.targetOf(rdbase);
    return this.target < 0 ? 'UNMAPPED_COLLECTION' : undefined;
  }

  /** Tells that an entry of another table was written at `address`. */
  storedAt(address: number): void {
    if (this.table.covers(address)) this.#places.drop();
  }

  /** Forgets what is known of memory. */
  drop(): void {
    this.#places.drop();
  }

  #load(icid: number): number {
    const address = this.#places.find(icid);
    if (address < 0 || !this.#cte.load(address)) return UNMAPPED;
    const { Valid, RDbase } = this.#parameters.layout.CTE;
    return Valid(this.#cte.words) === 0 ? UNMAPPED : RDbase(this.#cte.words);
  }
}
