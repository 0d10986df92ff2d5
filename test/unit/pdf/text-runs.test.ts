import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Fonts, loadFonts } from '../../../src/infrastructure/documents/fonts.js';
import { cleanLine, toRuns } from '../../../src/infrastructure/documents/text-runs.js';

let fonts: Fonts;

beforeAll(async () => {
  fonts = await loadFonts();
});

function runs(text: string): [face: string, text: string][] {
  return toRuns(cleanLine(text), fonts.regular).map((run) => [run.face.name, run.text]);
}

/** The pieces from left to right; those from right to left are marked, for their letters are turned by the font engine. */
function visual(text: string): string[] {
  return toRuns(cleanLine(text), fonts.regular).map((run) => (run.isRightToLeft ? `<${run.text}` : run.text));
}

describe('the face of each piece of text', () => {
  test.each([
    ['Straße & Søn Łódź', [['sans', 'Straße & Søn Łódź']]],
    ['Ромашка, Ελλάδα', [['sans', 'Ромашка, Ελλάδα']]],
    ['株式会社ひらがなカタカナ', [['chinese', '株式会社ひらがなカタカナ']]],
    [
      '北京软件 中華民國',
      [
        ['chinese', '北京软件'],
        ['sans', ' '],
        ['chinese', '中華民國'],
      ],
    ],
    [
      '한국어 Inc.',
      [
        ['korean', '한국어'],
        ['sans', ' Inc.'],
      ],
    ],
  ])('%s', (text, expected) => {
    expect(runs(text)).toEqual(expected);
  });

  test('is the main one for the replacement of what none can write', () => {
    expect(runs('ไท🇩🇪')).toEqual([['sans', '\ufffd\ufffd\ufffd']]);
  });

  test('keeps a letter whose mark none can write', () => {
    expect(runs('क'.normalize() + 'a\u0951')).toEqual([['sans', '\ufffda']]);
  });
});

describe('what steers only', () => {
  test('is left out: control characters, directions, halves of characters', () => {
    expect(cleanLine('a\u0000b\u0007c\u202ed\u2066e\ufefff\u200bg\ud800')).toBe('abcdefg\ufffd');
  });

  test('and letters with marks are composed', () => {
    expect(cleanLine('e\u0301\u00a0\tA\u030a')).toBe('é  Å');
  });
});

test('more than three marks on a letter are left out', () => {
  expect(cleanLine(`x${'\u0301'.repeat(90)}y`)).toBe('x\u0301\u0301\u0301y');
});

describe('text from right to left', () => {
  test.each([
    ['one piece', 'שלום עולם', ['<שלום עולם']],
    ['in a line from left to right', 'Invoice שלום עולם, Ltd', ['Invoice ', '<שלום עולם', ', Ltd']],
    ['with a number inside', 'הזמנה 12.50 מספר', ['< מספר', '12.50', '<הזמנה ']],
    ['with Latin letters inside', 'הזמנה ABC 12 שלום', ['< שלום', 'ABC 12', '<הזמנה ']],
    ['with brackets, which change their side', 'שלום (עולם)', ['<שלום )עולם(']],
    // The font engine will turn the digits once more.
    ['with Arabic digits', 'رقم ١٢٣', ['٣٢١', '<رقم ']],
  ])('%s', (_name, text, expected) => {
    expect(visual(text)).toEqual(expected);
  });
});
