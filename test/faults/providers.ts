import { quickbooks } from './quickbooks/repertoire.js';
import type { Repertoire } from './repertoire.js';
import { stripe } from './stripe/repertoire.js';

/** Whom a story is about. */
export const PROVIDERS = ['qbo', 'stripe'] as const;
export type Provider = (typeof PROVIDERS)[number];

export const repertoires: Readonly<Record<Provider, Repertoire>> = { qbo: quickbooks, stripe };
