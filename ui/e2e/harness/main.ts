/// <reference types="vite/client" />
import { mount } from 'svelte';
import '../../src/styles/base.css';
import '../../src/styles/tokens.css';
import '../../src/styles/tones.css';
import Million from './Million.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');

mount(Million, { target });
