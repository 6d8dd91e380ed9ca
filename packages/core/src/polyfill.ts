// SPDX-License-Identifier: Apache-2.0
// tsyringe reads decorator metadata through this polyfill; it must be loaded before the first decorator runs.
import 'reflect-metadata';
