import { describe, expect, it } from 'vitest';
import { Failure } from '../errors/failure';
import type { TunnelOption, TunnelProbe, TunnelProviderView, TunnelState } from '../host/types';
import { folded, missing, optionOf, placeholderOf, startOf, withoutSecrets } from './form';
import { inOrder, isCommandLine, preferred, startsAtOnce, stations, support, tunnelLook, versionOf } from './look';

const NOW = Date.parse('2026-11-23T10:00:00.000Z');
const state = (more: Partial<TunnelState>): TunnelState =>
  ({ status: 'stopped', last_probe: null, restarts: 0, restart_at: null, ...more }) as TunnelState;
const probe = (broke_at: TunnelProbe['broke_at'], ms = 84): TunnelProbe => ({
  at: '2026-11-23T09:59:58.000Z',
  ok: broke_at === null,
  ms,
  broke_at,
  message: '',
});
const option = (name: string, more: Partial<TunnelOption> = {}): TunnelOption => ({
  name,
  label: name.toUpperCase(),
  kind: 'text',
  required: false,
  default: null,
  choices: [],
  example: null,
  help: '',
  ...more,
});
const provider = (slug: string, more: Partial<TunnelProviderView> = {}): TunnelProviderView =>
  ({
    slug,
    name: slug,
    installed: true,
    supported: false,
    evidence: 'source',
    options: [],
    ...more,
  }) as TunnelProviderView;

describe('the look of a tunnel', () => {
  it('has a glyph and a word for every state, and all differ', () => {
    const statuses = ['stopped', 'starting', 'url_known', 'ready', 'degraded', 'restarting', 'failed'] as const;
    const looks = statuses.map((status) => tunnelLook(state({ status }), NOW));
    expect(new Set(looks.map(({ label }) => label)).size).toBe(statuses.length);
    expect(looks.every(({ glyph }) => glyph !== '')).toBe(true);
  });
  it('is good only when a request went through and was answered', () => {
    expect(tunnelLook(state({ status: 'ready' }), NOW).tone).toBe('busy');
    expect(tunnelLook(state({ status: 'ready', last_probe: probe('dns') }), NOW).tone).toBe('warn');
    const look = tunnelLook(state({ status: 'ready', last_probe: probe(null) }), NOW);
    expect(look).toMatchObject({ tone: 'good', aside: 'reachable, 84 ms' });
  });
  it('counts the seconds until the next start, and never below none', () => {
    const waits = (restart_at: string | null) =>
      tunnelLook(state({ status: 'restarting', restarts: 2, restart_at }), NOW);
    expect(waits('2026-11-23T10:00:04.200Z').aside).toBe('restart 3, in 5 s');
    expect(waits('2026-11-23T09:59:00.000Z').aside).toBe('restart 3, now');
    expect(waits(null).aside).toBe('restart 3');
    expect(waits('soon').aside).toBe('restart 3, now');
  });
  it('shows a state that this window does not know as it is', () => {
    const unknown = tunnelLook(state({ status: 'dreaming' as TunnelState['status'] }), NOW);
    expect(unknown).toMatchObject({ tone: 'calm', label: 'dreaming' });
  });
});

describe('the way of a proof', () => {
  const said = (of: TunnelProbe | null) => stations(of).map(({ state: at }) => at);
  it('ends where it broke, and says nothing of what lies behind', () => {
    expect(said(null)).toEqual(['unknown', 'unknown', 'unknown']);
    expect(said(probe(null))).toEqual(['passed', 'passed', 'passed']);
    expect(said(probe('dns'))).toEqual(['broken', 'unknown', 'unknown']);
    expect(said(probe('tunnel'))).toEqual(['passed', 'broken', 'unknown']);
    expect(said(probe('ingress'))).toEqual(['passed', 'passed', 'broken']);
    expect(said({ ...probe('dns'), broke_at: 'moon' as 'dns' })).toEqual(['unknown', 'unknown', 'unknown']);
  });
});

describe('the programs', () => {
  it('are called supported only when they were run', () => {
    expect(support(provider('a', { supported: true, evidence: 'observed' })).label).toBe('Supported');
    for (const evidence of ['source', 'second_hand'] as const) {
      const badge = support(provider('a', { evidence }));
      expect(badge.label).not.toMatch(/supported/i);
      expect(badge.title).toContain('not been run');
    }
  });
  it('stand with the installed ones first, in the engine’s order', () => {
    const list = [
      provider('a', { installed: false }),
      provider('b'),
      provider('c', { installed: false }),
      provider('d'),
    ];
    const { installed, missing: absent } = inOrder(list);
    expect([installed, absent].map((half) => half.map(({ slug }) => slug))).toEqual([
      ['b', 'd'],
      ['a', 'c'],
    ]);
  });
  it('begin with the one of last time, else one that needs nothing, else the first', () => {
    const needs = provider('needs', { options: [option('host', { required: true })] });
    const absent = provider('absent', { installed: false });
    const easy = provider('easy', { options: [option('host', { required: true, default: 'x' }), option('y')] });
    expect([needs, absent, easy].map(startsAtOnce)).toEqual([false, false, true]);
    expect(preferred([absent, needs, easy], 'needs')).toBe(needs);
    expect(preferred([absent, needs, easy], 'gone')).toBe(easy);
    expect(preferred([absent, needs], '')).toBe(absent);
    expect(preferred([], '')).toBeUndefined();
  });
  it('have install lines that are told from advice', () => {
    expect(isCommandLine('brew install cloudflared')).toBe(true);
    expect(isCommandLine('sudo apt-get install openssh-client')).toBe(true);
    expect(isCommandLine('See https://ngrok.com/download, or: sudo snap install ngrok')).toBe(false);
    expect(isCommandLine('It comes with macOS')).toBe(false);
  });
  it('have a version in what they say of it', () => {
    expect(versionOf('cloudflared version 2026.11.0 (built 2026-11-10-0910 UTC)')).toBe('2026.11.0');
    expect(versionOf('OpenSSH_9.2p1 Debian-2+deb12u3, OpenSSL 3.0.15')).toBe('9.2p1');
    expect(versionOf('a very long word without one')).toBe('a very long ');
  });
});

describe('the form of a program', () => {
  const custom = provider('custom', {
    options: [
      option('command', { kind: 'list', required: true, example: '["my-tunnel","--to","{ingress}"]' }),
      option('port', { kind: 'number' }),
      option('url'),
      option('token', { kind: 'secret' }),
    ],
  });
  it('sends lists by line, numbers as numbers, secrets as they are, and nothing that is empty', () => {
    const values = { command: 'run me\n\n--now\r\n x ', port: ' 8080 ', url: '  ', token: ' s3cret ' };
    expect(startOf(custom, values)).toEqual({
      provider: 'custom',
      options: { command: ['run me', '--now', ' x '], port: 8080, token: ' s3cret ' },
    });
    expect(startOf(custom, { port: 'eighty' }).options, 'the engine says what it takes').toEqual({ port: 'eighty' });
    expect(startOf(custom, { unknown: 'x' }).options).toEqual({});
  });
  it('remembers everything but secrets', () => {
    expect(withoutSecrets(custom, { command: 'a', token: 'b', url: '' })).toEqual({ command: 'a' });
  });
  it('says what is missing, but not where a default stands in', () => {
    expect(missing(custom, { command: '\n' })).toEqual({ command: 'COMMAND is needed.' });
    expect(missing(custom, { command: 'a' })).toEqual({});
    expect(missing(provider('b', { options: [option('server', { required: true, default: 'x' })] }), {})).toEqual({});
  });
  it('finds the option that the engine does not take', () => {
    const at = (field: string | null) => optionOf(new Failure('invalid_value', 'x', null, field), custom);
    expect([at('options.port'), at('options.command[0]'), at('port'), at('provider'), at(null)]).toEqual([
      'port',
      'command',
      'port',
      null,
      null,
    ]);
    expect(optionOf(null, custom)).toBeNull();
  });
  it('folds away what few need, never what is required or secret', () => {
    const many = ['a', 'b', 'c', 'd'].map((name) => option(name));
    const all = [...many, option('needed', { required: true }), option('key', { kind: 'secret' })];
    expect(folded(all).shown.map(({ name }) => name)).toEqual(['needed', 'key']);
    expect(folded(all).more.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
    expect(folded(many).more).toEqual([]);
  });
  it('shows the example of a list as it would be typed', () => {
    expect(placeholderOf(custom.options[0] as TunnelOption)).toBe('my-tunnel\n--to\n{ingress}');
    expect(placeholderOf(option('x', { kind: 'list', example: 'plain' }))).toBe('plain');
    expect(placeholderOf(option('x'))).toBe('');
  });
});
