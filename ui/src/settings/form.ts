import type { Settings } from '../host/types';

/** How a setting is asked for. Bytes are asked in MiB, and sent in bytes. */
export type SettingField = {
  name: keyof Settings & string;
  label: string;
  unit: string;
  factor: number;
  sentence: string;
};

const MIB = 1024 * 1024;

export const RETENTION: SettingField[] = [
  {
    name: 'keep_rows',
    label: 'Deliveries',
    unit: 'rows',
    factor: 1,
    sentence: 'The newest this many are kept. 0: no limit.',
  },
  {
    name: 'keep_bytes',
    label: 'Space',
    unit: 'MiB',
    factor: MIB,
    sentence: 'The oldest are removed when stored deliveries take more. 0: no limit.',
  },
  { name: 'keep_days', label: 'Age', unit: 'days', factor: 1, sentence: 'Older ones are removed. 0: no limit.' },
];

export const LIMITS: SettingField[] = [
  {
    name: 'max_body_bytes',
    label: 'Largest body',
    unit: 'MiB',
    factor: MIB,
    sentence: 'A larger one is refused with 413. 0: no limit.',
  },
  {
    name: 'rate_limit_endpoint',
    label: 'Rate per endpoint',
    unit: 'a minute',
    factor: 1,
    sentence: 'More are refused with 429. 0: no limit.',
  },
  {
    name: 'rate_limit_ip',
    label: 'Bad requests per client',
    unit: 'a minute',
    factor: 1,
    sentence: 'Charged only by unknown URLs and bad signatures; then 429. 0: no limit.',
  },
];

/** A number for an input: whole where it is whole in this unit. */
export function shown(value: number, factor: number): string {
  return String(Math.round((value / factor) * 1000) / 1000);
}

/** The value of an input in the API's unit, or null when it is no number of 0 or more. */
export function parsed(text: string, factor: number): number | null {
  const trimmed = text.trim();
  if (!/^\d+(\.\d+)?$/.test(trimmed)) return null;
  const value = Math.round(Number(trimmed) * factor);
  return Number.isSafeInteger(value) ? value : null;
}

/** How much of a limit is used, from 0 to 1; null without a limit. */
export function share(used: number, limit: number): number | null {
  return limit > 0 ? Math.min(1, used / limit) : null;
}
