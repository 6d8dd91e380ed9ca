// SPDX-License-Identifier: Apache-2.0
// The models of a board by node path, while and after they are built, and the roles other models ask them for.

import { LinuxError } from '@irqkit/core';
import type {
  FirmwareNode,
  InterruptControllerModel,
  InterruptSpec,
  IommuModel,
  IrqLine,
  Model,
  SystemRegistersModel,
} from '@irqkit/core';

export class Models {
  readonly byPath = new Map<string, Model>();
  /** True once every model stands. */
  complete = false;
  readonly #expected: ReadonlySet<string>;

  /** `expected`: the paths of all nodes that will have a model. */
  constructor(expected: ReadonlySet<string>) {
    this.#expected = expected;
  }

  /** The controller model of `node`, for `asker`. @throws LinuxError EPROBE_DEFER, ENODEV */
  controller(node: FirmwareNode, asker: FirmwareNode): InterruptControllerModel {
    const model = this.byPath.get(node.path);
    if (model && isController(model)) return model;
    if (!model && this.#expected.has(node.path))
      throw new LinuxError('EPROBE_DEFER', `${asker.path}: ${node.path} is not built yet`);
    throw new LinuxError('ENODEV', `${asker.path}: nothing models an interrupt controller at ${node.path}`);
  }

  /** The input that a specifier names, where a model has it. */
  input(spec: InterruptSpec): IrqLine | undefined {
    const model = this.byPath.get(spec.controller.path);
    return model && isController(model) ? model.line(spec.args) : undefined;
  }

  /** The system registers of the interrupt controller that has some: processors have one such controller. */
  get systemRegisters(): SystemRegistersModel | undefined {
    for (const model of this.byPath.values())
      if (isController(model) && model.systemRegisters) return model.systemRegisters;
    return undefined;
  }

  iommuOf(node: FirmwareNode): IommuModel | null | undefined {
    if (!this.complete) return undefined;
    const model = this.byPath.get(node.path);
    return model && isIommu(model) ? model : null;
  }
}

function isController(model: Model): model is InterruptControllerModel {
  return 'sink' in model && 'line' in model;
}

function isIommu(model: Model): model is IommuModel {
  return 'translate' in model;
}
