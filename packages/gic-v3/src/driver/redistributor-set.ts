// SPDX-License-Identifier: Apache-2.0
// What the driver offers those of its ITSs, and which processors are online.

import type { Redistributor, Redistributors } from '@irqkit/core';

type HotplugCallback = (cpu: number, online: boolean) => void;

export interface RedistributorFacts {
  readonly byCpu: readonly Redistributor[];
  readonly idBits: number;
  readonly hasLpis: boolean;
}

export class RedistributorSet implements Redistributors {
  readonly byCpu: readonly Redistributor[];
  readonly idBits: number;
  readonly hasLpis: boolean;
  #online: readonly number[];
  #callbacks: readonly { readonly callback: HotplugCallback }[] = [];

  constructor(facts: RedistributorFacts) {
    this.byCpu = facts.byCpu;
    this.idBits = facts.idBits;
    this.hasLpis = facts.hasLpis;
    this.#online = facts.byCpu.map(({ cpu }) => cpu);
  }

  get online(): readonly number[] {
    return this.#online;
  }

  isOnline(cpu: number): boolean {
    return this.#online.includes(cpu);
  }

  onHotplug(callback: HotplugCallback): () => void {
    const own = { callback };
    this.#callbacks = [...this.#callbacks, own];
    return () => {
      this.#callbacks = this.#callbacks.filter((other) => other !== own);
    };
  }

  /** Changes `online` without telling anybody. */
  mark(cpu: number, online: boolean): void {
    const others = this.#online.filter((other) => other !== cpu);
    this.#online = online ? [...others, cpu].sort((a, b) => a - b) : others;
  }

  /** Tells everybody; where one fails, those who were told are told the opposite, last first. */
  tell(cpu: number, online: boolean): void {
    const told: HotplugCallback[] = [];
    try {
      for (const { callback } of this.#callbacks) {
        callback(cpu, online);
        told.push(callback);
      }
    } catch (error) {
      for (const callback of told.reverse()) callback(cpu, !online);
      throw error;
    }
  }
}
