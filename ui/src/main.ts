import '@fontsource-variable/jetbrains-mono/wght.css';
import { mount } from 'svelte';
import App from './shell/App.svelte';
import './styles/tokens.css';
import './styles/tones.css';
import './styles/base.css';
import './styles/menus.css';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');

export default mount(App, { target });
