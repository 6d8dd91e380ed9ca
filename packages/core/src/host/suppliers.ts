// SPDX-License-Identifier: Apache-2.0
// What one driver offers others of the same host beyond domains: by the node that offers it and what it is for.

import { LinuxError } from '../contracts/errno.js';
import type { FirmwareNode } from '../contracts/firmware.js';

/** Names a service and its type. Make it with `Symbol.for`, so that two installed copies of a package agree. */
export type SupplierToken<T> = symbol & { readonly supplies?: T };

export class Suppliers {
  readonly #byNode = new Map<FirmwareNode, Map<symbol, unknown>>();
  readonly #mayCome: (node: FirmwareNode) => boolean;

  /** `mayCome` says whether a driver of a node has yet to be probed. */
  constructor(mayCome: (node: FirmwareNode) => boolean) {
    this.#mayCome = mayCome;
  }

  /** Offers `service` until the returned removal is called. @throws LinuxError EEXIST */
  provide<T>(node: FirmwareNode, token: SupplierToken<T>, service: T): () => void {
    const services = this.#byNode.get(node) ?? new Map<symbol, unknown>();
    if (services.has(token)) throw new LinuxError('EEXIST', `${node.path}: already provides ${String(token)}`);
    this.#byNode.set(node, services.set(token, service));
    return () => void services.delete(token);
  }

  /** @throws LinuxError EPROBE_DEFER where it may still come, ENODEV where nothing will provide it. */
  require<T>(node: FirmwareNode, token: SupplierToken<T>): T {
    const services = this.#byNode.get(node);
    if (services?.has(token)) return services.get(token) as T;
    if (this.#mayCome(node)) throw new LinuxError('EPROBE_DEFER', `${node.path}: no ${String(token)} yet`);
    throw new LinuxError('ENODEV', `${node.path}: no driver provides ${String(token)}`);
  }
}
