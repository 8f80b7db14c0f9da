import type { ReactNode } from 'react';

import { useNow } from '../hub/clock.ts';
import { arrivals } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import { Icon, type IconName } from '../parts/icons.tsx';
import { clock, delay, number } from '../words/format.ts';
import { named, useWords } from '../words/words.ts';
import type { Vitals } from './vitals.ts';

/** The queue is as good as empty below this. */
export const QUEUED_MANY = 100;

type Tone = 'good' | 'warn' | 'bad' | 'none';

/** The way of a delivery as a picture: from the provider through the hub onto the disk and to the screens. */
export function Way({ vitals: { health, webhook, rate } }: { vitals: Vitals }) {
  const say = useWords();
  const now = useNow();
  const { medianMs } = useStore(arrivals);
  const { lastDeliveryAt } = webhook;
  const isDamaged = health.integrity.startsWith('damaged');
  const isStored = health.status !== 'unwritable' && !isDamaged;
  return (
    <section className="card" aria-labelledby="way-title">
      <h2 id="way-title">{say('way')}</h2>
      <ol className="way">
        <Stage
          icon="provider"
          name={say('wayProvider')}
          tone={lastDeliveryAt === null ? 'none' : 'good'}
          state={
            lastDeliveryAt === null
              ? say('noDeliveries')
              : say('wayLast', { age: clock(now - Date.parse(lastDeliveryAt)) })
          }
        >
          {rate === null ? say('measuring') : say('wayRate', { count: number(Math.round(rate.perMinute)) })}
        </Stage>
        <Stage
          icon="hub"
          name={say('hub')}
          tone={health.status === 'draining' ? 'warn' : health.queued > QUEUED_MANY ? 'warn' : 'good'}
          state={health.status === 'draining' ? say('drainingWord') : say('wayTakes')}
        >
          {say('wayQueued', { count: number(health.queued) })}
        </Stage>
        <Stage
          icon="disk"
          name={say('wayDisk')}
          tone={isStored ? 'good' : 'bad'}
          state={
            isStored
              ? say('wayStores')
              : isDamaged
                ? say('damaged')
                : `${say('unwritableWord')}: ${named(say, health.reason ?? 'other')}`
          }
        >
          {say('wayPosition', { count: number(health.seq) })}
        </Stage>
        <Stage
          icon="wall"
          name={say('wayScreens')}
          tone={health.sessions > 0 ? 'good' : 'none'}
          state={say('waySessions', { count: number(health.sessions) })}
        >
          {medianMs === null ? say('noDelay') : say('delay', { age: delay(medianMs) })}
        </Stage>
      </ol>
    </section>
  );
}

interface StageProps {
  icon: IconName;
  name: string;
  tone: Tone;
  /** How it stands, in words: the tone alone says nothing to some. */
  state: string;
  children: ReactNode;
}

function Stage({ icon, name, tone, state, children }: StageProps) {
  return (
    <li className="stage" data-tone={tone}>
      <Icon name={icon} />
      <strong>{name}</strong>
      <span className="stage-state">{state}</span>
      <span className="quiet">{children}</span>
    </li>
  );
}
