import type { Failure } from '../errors/failure';
import type { TunnelOption, TunnelProviderView, TunnelStart } from '../host/types';
import type { TunnelValues } from '../store/tunnelChoices.svelte';

/** More options than these are folded away, unless they are required or hold something. */
const SHOWN_MAX = 5;

/** What the engine takes: absent where nothing was typed, lists by line, whole numbers as numbers. */
export function startOf(provider: TunnelProviderView, values: TunnelValues): TunnelStart {
  const options: Record<string, string | number | string[]> = {};
  for (const option of provider.options) {
    const value = read(option, values[option.name] ?? '');
    if (value !== null) options[option.name] = value;
  }
  return { provider: provider.slug, options };
}

function read({ kind }: TunnelOption, typed: string): string | number | string[] | null {
  if (kind === 'list') {
    const lines = typed.split(/\r?\n/).filter((line) => line !== '');
    return lines.length > 0 ? lines : null;
  }
  // A secret is taken as it is: white space may be part of it.
  const text = kind === 'secret' ? typed : typed.trim();
  if (text === '') return null;
  // What is no whole number is sent as it was typed: the engine says at the field what it takes.
  return kind === 'number' && /^\d{1,15}$/.test(text) ? Number(text) : text;
}

/** What may be remembered. */
export function withoutSecrets(provider: TunnelProviderView, values: TunnelValues): TunnelValues {
  const kept = provider.options
    .filter(({ kind }) => kind !== 'secret')
    .map(({ name }): [string, string] => [name, values[name] ?? ''])
    .filter(([, value]) => value !== '');
  return Object.fromEntries(kept);
}

/** What is required and not there, by option. */
export function missing(provider: TunnelProviderView, values: TunnelValues): Record<string, string> {
  const { options = {} } = startOf(provider, values);
  const absent = provider.options.filter(
    ({ name, required, default: standard }) => required && standard === null && options[name] === undefined,
  );
  return Object.fromEntries(absent.map(({ name, label }) => [name, `${label} is needed.`]));
}

/** The option that a failure is about; null: none of these. */
export function optionOf(failure: Failure | null, provider: TunnelProviderView): string | null {
  const name = failure?.field?.replace(/^options\./, '').split(/[.[]/)[0];
  return provider.options.some((option) => option.name === name) ? (name ?? null) : null;
}

/** Those to show at once, and those to fold away. */
export function folded(options: readonly TunnelOption[]): { shown: TunnelOption[]; more: TunnelOption[] } {
  if (options.length <= SHOWN_MAX) return { shown: [...options], more: [] };
  const matters = ({ required, kind }: TunnelOption) => required || kind === 'secret';
  return { shown: options.filter(matters), more: options.filter((option) => !matters(option)) };
}

/** An example as it would be typed: that of a list is a JSON list, and typed line by line. */
export function placeholderOf(option: TunnelOption): string {
  if (option.kind !== 'list' || option.example === null) return option.example ?? '';
  try {
    const list: unknown = JSON.parse(option.example);
    return Array.isArray(list) ? list.join('\n') : option.example;
  } catch {
    return option.example;
  }
}
