import type { TextStyle } from './text-layout.js';

export const COLORS = {
  text: '#1f2933',
  pale: '#7b8794',
  link: '#1a56a0',
  rule: '#d5dbe1',
  band: '#eef1f4',
  watermark: '#f0f0f0',
} as const;

const regular = (size: number, color: string = COLORS.text): TextStyle => ({ weight: 'regular', size, color });
const bold = (size: number, color: string = COLORS.text): TextStyle => ({ weight: 'bold', size, color });

export const STYLES = {
  title: bold(18),
  standing: regular(14, COLORS.pale),
  sender: bold(13),
  strong: bold(8.5),
  text: regular(8.5),
  pale: regular(8.5, COLORS.pale),
  link: regular(8.5, COLORS.link),
  heading: bold(8),
  small: regular(7.5, COLORS.pale),
  watermark: bold(96, COLORS.watermark),
} as const;
