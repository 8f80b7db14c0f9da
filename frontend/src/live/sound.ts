/** A short tone when an alert is raised: off until somebody wants it, and remembered in this browser. */

import { useEffect } from 'react';
import { forBrowser } from 'umbler-hub-client/storage';

import { alerts } from '../hub/hub.tsx';
import { Store, useStore } from '../hub/store.ts';

const KEY = 'umbler-hub-sound';
/** Alerts come in swarms; one tone tells of all of them. */
const CALM_MS = 2000;
const TONES_HZ = [880, 660];
const TONE_S = 0.16;

export interface Sound {
  on: boolean;
  /** The browser lets a page sound only once it was touched. */
  blocked: boolean;
}

const store = new Store<Sound>({ on: forBrowser.getItem(KEY) === 'on', blocked: false });
let context: AudioContext | null = null;
let last = 0;

export function useSound(): Sound {
  return useStore(store);
}

export function switchSound() {
  const on = !store.get().on;
  if (on) forBrowser.setItem(KEY, 'on');
  else forBrowser.removeItem(KEY);
  store.set({ on, blocked: false });
  if (on) void wake().then(beep);
}

/** Sounds on every page, not only where alerts are listed. */
export function useAlertSound() {
  const { on } = useSound();
  useEffect(() => {
    if (!on) return;
    void wake();
    const touch = () => void wake();
    const stop = alerts.onRaised(() => {
      const now = performance.now();
      if (now - last < CALM_MS && last > 0) return;
      last = now;
      beep();
    });
    document.addEventListener('pointerdown', touch);
    document.addEventListener('keydown', touch);
    return () => {
      stop();
      document.removeEventListener('pointerdown', touch);
      document.removeEventListener('keydown', touch);
    };
  }, [on]);
}

async function wake() {
  context ??= new AudioContext();
  const { on } = store.get();
  if (context.state === 'suspended') {
    // It stays pending until somebody touches the page.
    store.set({ on, blocked: true });
    await context.resume().catch(() => {});
  }
  store.set({ on: store.get().on, blocked: context.state !== 'running' });
}

function beep() {
  if (context === null || context.state !== 'running') return;
  const begin = context.currentTime;
  for (const [index, frequency] of TONES_HZ.entries()) {
    const from = begin + index * TONE_S;
    const tone = new OscillatorNode(context, { frequency });
    const loudness = new GainNode(context, { gain: 0 });
    // From silence and back, or it would click.
    loudness.gain.setValueAtTime(0, from);
    loudness.gain.linearRampToValueAtTime(0.2, from + 0.02);
    loudness.gain.linearRampToValueAtTime(0, from + TONE_S);
    tone.connect(loudness).connect(context.destination);
    tone.start(from);
    tone.stop(from + TONE_S);
  }
}
