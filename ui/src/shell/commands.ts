import { visible } from '../format/visible';
import type { Command } from '../keys/commands.svelte';
import { DENSITIES, THEMES, type Appearance } from '../store/appearance.svelte';
import type { EndpointView } from '../host/types';
import type { TunnelStore } from '../store/tunnel.svelte';
import type { Screen } from './route.svelte';

/** What the shell can do, as commands. `go` leaves the focus on the screen that it opens. */
export type ShellActions = {
  appearance: Appearance;
  go: (screen: Screen, id?: string) => void;
  help: () => void;
  palette: () => void;
};

export function shellCommands({ appearance, go, help, palette }: ShellActions): Command[] {
  const screens: { screen: Screen; title: string; keys: string[] }[] = [
    { screen: 'deliveries', title: 'Deliveries', keys: [] },
    { screen: 'endpoints', title: 'Endpoints', keys: [] },
    { screen: 'tunnel', title: 'Tunnel', keys: ['t'] },
    { screen: 'refusals', title: 'Refusals', keys: [] },
    { screen: 'settings', title: 'Settings', keys: ['Ctrl+,'] },
  ];
  return [
    ...screens.map(({ screen, title, keys }): Command => ({
      id: `go.${screen}`,
      title: `Go to ${title}`,
      group: 'Go to',
      keys,
      run: () => go(screen),
    })),
    ...THEMES.map((theme): Command => ({
      id: `view.theme.${theme}`,
      title: theme === 'system' ? 'Theme: as the system' : `Theme: ${theme}`,
      group: 'View',
      keys: [],
      run: () => (appearance.theme = theme),
      enabled: () => appearance.theme !== theme,
    })),
    ...DENSITIES.map((density): Command => ({
      id: `view.density.${density}`,
      title: `Rows: ${density}`,
      group: 'View',
      keys: [],
      run: () => (appearance.density = density),
      enabled: () => appearance.density !== density,
    })),
    {
      id: 'view.times',
      title: 'Times: local or UTC',
      group: 'View',
      keys: [],
      run: () => (appearance.zone = appearance.zone === 'utc' ? 'local' : 'utc'),
    },
    zoom('in', 'Zoom in', ['Ctrl+Plus'], () => appearance.zoomIn()),
    zoom('out', 'Zoom out', ['Ctrl+Minus'], () => appearance.zoomOut()),
    zoom('reset', 'Zoom to 100 %', ['Ctrl+0'], () => appearance.zoomReset()),
    { id: 'help.palette', title: 'Find a command', group: 'Help', keys: ['Ctrl+K'], run: palette, listed: 'overlay' },
    { id: 'help.keys', title: 'Show all keys', group: 'Help', keys: ['?'], run: help },
  ];
}

function zoom(id: string, title: string, keys: string[], run: () => void): Command {
  return { id: `view.zoom.${id}`, title, group: 'View', keys, run, repeats: true, everywhere: true };
}

/** What can be done with the tunnel from everywhere. */
export function tunnelCommands(
  tunnel: TunnelStore,
  act: { stop: () => void; check: () => void; copyUrl: (url: string) => void },
): Command[] {
  const base: Pick<Command, 'group' | 'keys' | 'listed'> = { group: 'Tunnel', keys: [], listed: 'palette' };
  const url = () => (tunnel.runs ? (tunnel.state?.public_url ?? null) : null);
  return [
    { ...base, id: 'tunnel.stop', title: 'Stop the tunnel', enabled: () => tunnel.runs, run: act.stop },
    { ...base, id: 'tunnel.check', title: 'Check the tunnel now', enabled: () => tunnel.runs, run: act.check },
    {
      ...base,
      id: 'tunnel.copy',
      title: 'Copy the tunnel’s public URL',
      enabled: () => url() !== null,
      run: () => act.copyUrl(url() ?? ''),
    },
  ];
}

/** For each endpoint: its deliveries, its settings, its URL. Only the palette shows them. */
export function endpointCommands(
  endpoints: EndpointView[],
  act: { show: (id: string) => void; edit: (id: string) => void; copyUrl: (endpoint: EndpointView) => void },
): Command[] {
  return endpoints.flatMap((endpoint): Command[] => {
    const { id } = endpoint;
    const name = visible(endpoint.name);
    const base: Pick<Command, 'group' | 'keys' | 'listed'> = { group: 'Endpoints', keys: [], listed: 'palette' };
    return [
      { ...base, id: `endpoint.show.${id}`, title: `Deliveries of ${name}`, run: () => act.show(id) },
      { ...base, id: `endpoint.edit.${id}`, title: `Edit ${name}`, run: () => act.edit(id) },
      { ...base, id: `endpoint.copy.${id}`, title: `Copy ingress URL of ${name}`, run: () => act.copyUrl(endpoint) },
    ];
  });
}
