// SPDX-License-Identifier: Apache-2.0
// From (DeviceID, EventID) to an LPI pending at a redistributor: by the cache, else by the tables. IHI 0069, section 5.1.

import type { Doorbell, LpiSink, ModelLog } from '@irqkit/core';
import type { Collections } from './collections.js';
import type { Devices } from './devices.js';
import type { ItsError } from './its-error.js';
import { TranslationCache } from './translation-cache.js';

/** Why an interrupt reached nobody. */
export type DropReason = ItsError | 'DISABLED' | 'NO_DEVICE_ID';

export class Translation {
  /** Takes a device's write of an EventID. Hot: nothing is allocated where the cache or the tables know the event. */
  readonly doorbell: Doorbell;
  readonly #devices: Devices;
  readonly #collections: Collections;
  readonly #cache: TranslationCache;
  readonly #lpis: LpiSink;
  readonly #log: ModelLog;
  readonly #dropped = new Map<DropReason, number>();
  #enabled = false;

  constructor(devices: Devices, collections: Collections, lpis: LpiSink, log: ModelLog) {
    this.#devices = devices;
    this.#collections = collections;
    this.#cache = new TranslationCache(lpis, (deviceId, eventId) => this.#lookUp(deviceId, eventId));
    this.doorbell = this.#cache;
    this.#lpis = lpis;
    this.#log = log;
  }

  /** How many interrupts reached nobody, by the reason. */
  get dropped(): ReadonlyMap<DropReason, number> {
    return this.#dropped;
  }

  /** GITS_CTLR.Enabled. The cache is empty while it is false. */
  get enabled(): boolean {
    return this.#enabled;
  }

  set enabled(enabled: boolean) {
    this.#enabled = enabled;
    this.#cache.dropAll();
  }

  /** Forgets what the tables said. */
  dropAll(): void {
    this.#cache.dropAll();
  }

  #lookUp(deviceId: number, eventId: number): void {
    if (!this.#enabled) return this.#drop('DISABLED', deviceId, eventId);
    if (deviceId < 0) return this.#drop('NO_DEVICE_ID', deviceId, eventId);
    const error = this.find(deviceId, eventId);
    if (error !== undefined) return this.#drop(error, deviceId, eventId);
    const { nrEvents, lpi } = this.#devices;
    const { target } = this.#collections;
    this.#cache.add(deviceId, nrEvents, eventId, lpi, target);
    this.#lpis.setPending(target, lpi);
  }

  /** Asks the tables alone; leaves what they say in the devices and the collections. */
  find(deviceId: number, eventId: number): ItsError | undefined {
    return this.#devices.findEvent(deviceId, eventId) ?? this.#collections.find(this.#devices.icid);
  }

  // One line for each reason: a device that went wrong writes often.
  #drop(reason: DropReason, deviceId: number, eventId: number): void {
    const before = this.#dropped.get(reason) ?? 0;
    this.#dropped.set(reason, before + 1);
    if (before === 0) this.#log.guest('MSI of DeviceID 0x%x, EventID 0x%x dropped: %s', deviceId, eventId, reason);
  }
}
