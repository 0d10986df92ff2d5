const DECIMAL_TEXT = /^(-?)(\d{1,24})(?:\.(\d{1,18}))?$/;

/** An exact decimal number. Money never passes through a binary floating-point number here. */
export class Decimal {
  static readonly zero = new Decimal(0n, 0);

  private constructor(
    private readonly units: bigint,
    private readonly scale: number,
  ) {}

  /** Undefined for anything but plain decimal notation: exponents and absurd lengths are refused. */
  static parse(text: string): Decimal | undefined {
    const match = DECIMAL_TEXT.exec(text.trim());
    if (match === null) return undefined;
    const [, sign = '', whole = '0', fraction = ''] = match;
    return new Decimal(BigInt(sign + whole + fraction), fraction.length);
  }

  /** A number of parsed JSON, or the same digits as text. */
  static from(value: unknown): Decimal | undefined {
    if (value instanceof Decimal) return value;
    return typeof value === 'string' ? Decimal.parse(value) : undefined;
  }

  /** For literals in our own code. */
  static of(text: string): Decimal {
    const value = Decimal.parse(text);
    if (value === undefined) throw new Error(`${text} is not a decimal number`);
    return value;
  }

  static sum(values: Iterable<Decimal>): Decimal {
    let total = Decimal.zero;
    for (const value of values) total = total.plus(value);
    return total;
  }

  static min(left: Decimal, right: Decimal): Decimal {
    return left.compare(right) <= 0 ? left : right;
  }

  plus(other: Decimal): Decimal {
    const scale = Math.max(this.scale, other.scale);
    return new Decimal(this.unitsAt(scale) + other.unitsAt(scale), scale);
  }

  minus(other: Decimal): Decimal {
    return this.plus(new Decimal(-other.units, other.scale));
  }

  times(other: Decimal): Decimal {
    return new Decimal(this.units * other.units, this.scale + other.scale);
  }

  /** This many hundredths: 8 becomes 0.08. */
  percent(): Decimal {
    return new Decimal(this.units, this.scale + 2);
  }

  /** Rounds half away from zero; also widens, so that 100 at two digits reads 100.00. */
  roundTo(digits: number): Decimal {
    if (digits >= this.scale) return new Decimal(this.unitsAt(digits), digits);
    const divisor = 10n ** BigInt(this.scale - digits);
    const magnitude = this.units < 0n ? -this.units : this.units;
    const rounded = (magnitude + divisor / 2n) / divisor;
    return new Decimal(this.units < 0n ? -rounded : rounded, digits);
  }

  fitsIn(digits: number): boolean {
    return this.equals(this.roundTo(digits));
  }

  compare(other: Decimal): -1 | 0 | 1 {
    const scale = Math.max(this.scale, other.scale);
    const [left, right] = [this.unitsAt(scale), other.unitsAt(scale)];
    if (left === right) return 0;
    return left < right ? -1 : 1;
  }

  equals(other: Decimal): boolean {
    return this.compare(other) === 0;
  }

  exceeds(other: Decimal): boolean {
    return this.compare(other) > 0;
  }

  get isZero(): boolean {
    return this.units === 0n;
  }

  get isNegative(): boolean {
    return this.units < 0n;
  }

  toString(): string {
    const sign = this.units < 0n ? '-' : '';
    const digits = (this.units < 0n ? -this.units : this.units).toString().padStart(this.scale + 1, '0');
    if (this.scale === 0) return sign + digits;
    return `${sign}${digits.slice(0, -this.scale)}.${digits.slice(-this.scale)}`;
  }

  /** Written into JSON digit by digit. */
  toJSON(): unknown {
    return JSON.rawJSON(this.toString());
  }

  private unitsAt(scale: number): bigint {
    return this.units * 10n ** BigInt(scale - this.scale);
  }
}
