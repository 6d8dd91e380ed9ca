// SPDX-License-Identifier: Apache-2.0
// The MSI window that user space provides, the same in every domain of a container (R15).
// Source: "KVM PCIe/MSI passthrough on ARM/ARM64", part 3/3, v11.

import { hex, overlaps } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { Iova, UserMsiWindow } from '@irqkit/core';
import type { IovaSpan } from './dma-list.js';
import type { Type1Domains } from './type1-domains.js';

export class UserWindow {
  readonly #domains: Type1Domains;
  #span: IovaSpan | undefined;

  constructor(domains: Type1Domains) {
    this.#domains = domains;
  }

  /** Undefined while there is none. */
  get span(): IovaSpan | undefined {
    return this.#span;
  }

  overlaps(iova: number, sizeBytes: number): boolean {
    return this.#span !== undefined && overlaps(this.#span.iova, this.#span.sizeBytes, iova, sizeBytes);
  }

  /** @throws LinuxError EEXIST where there is one */
  provide(span: IovaSpan): void {
    if (this.#span) throw new LinuxError('EEXIST', `MSI window: there is one at ${hex(this.#span.iova)}`);
    for (const window of this.#inDomains) window.provide(span.iova as Iova, span.sizeBytes);
    this.#span = span;
  }

  /** @throws LinuxError EBUSY while doorbells are bound in it */
  refuseBusy(): void {
    if (this.#inDomains.some(({ busy }) => busy))
      throw new LinuxError('EBUSY', 'MSI window: doorbells are bound in it');
  }

  /** It is not busy. */
  withdraw(): void {
    for (const window of this.#inDomains) window.withdraw();
    this.#span = undefined;
  }

  /** None in a domain whose IOMMU does not translate MSIs. */
  get #inDomains(): UserMsiWindow[] {
    return this.#domains.all.flatMap(({ domain }) => domain.userWindow ?? []);
  }
}
