// SPDX-License-Identifier: Apache-2.0
// `npm run build`.
import { build } from './ready/build.mjs';
import { install } from './ready/install.mjs';

install();
build();
