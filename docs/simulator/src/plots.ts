/** The series: requests by their ends, latency, and the evidence with its threshold, which can be dragged. */

import UPlot from 'uplot';

import { clock, duration, make, percent } from './dom.js';
import type { ConfigDocument } from './engine.js';
import { fieldOf } from './engine.js';
import type { Palette } from './palette.js';
import type { Played } from './played.js';
import { GUTTER, RIGHT } from './timeline.js';

const HEIGHT = 116;
/** The steps of the time axis, whose labels are whole seconds. */
const WHOLE_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800];

export interface PlottedRun {
  name: 'A' | 'B';
  run: Played;
}

export interface PlotEvents {
  onSeek(time: number): void;
  onThreshold(name: 'A' | 'B', field: string, value: number): void;
}

interface Line {
  label: string;
  color: string;
  values: (number | null)[];
  dash?: number[];
  isArea?: boolean;
}

/** A threshold that can be dragged. */
interface Threshold {
  name: 'A' | 'B';
  field: string;
  value: number;
  isShare: boolean;
}

export class Plots {
  readonly element: HTMLElement;
  readonly #events: PlotEvents;
  readonly #panes = { requests: make('div', { class: 'plot' }), evidence: make('div', { class: 'plot' }) };
  readonly #captions = { requests: make('div', { class: 'caption' }), evidence: make('div', { class: 'caption' }) };
  readonly #which: HTMLButtonElement;
  #plots: UPlot[] = [];
  #isLatency = false;
  #time = 0;
  #last: [PlottedRun[], { worker: number; provider: number; seconds: number }, Palette] | undefined;

  constructor(events: PlotEvents) {
    this.#events = events;
    this.#which = make('button', { type: 'button', class: 'small', 'aria-pressed': false }, 'Latency');
    this.#which.addEventListener('click', () => {
      this.#isLatency = !this.#isLatency;
      this.#which.setAttribute('aria-pressed', String(this.#isLatency));
      if (this.#last !== undefined) {
        this.show(...this.#last);
      }
    });
    const top = make('div', { class: 'plot-head' }, this.#captions.requests, this.#which);
    this.element = make(
      'div',
      { class: 'plots', 'aria-hidden': 'false' },
      top,
      this.#panes.requests,
      this.#captions.evidence,
      this.#panes.evidence,
    );
  }

  show(runs: PlottedRun[], place: { worker: number; provider: number; seconds: number }, palette: Palette): void {
    this.#last = [runs, place, palette];
    for (const plot of this.#plots) {
      plot.destroy();
    }
    const step = runs[0]?.run.report.step_seconds ?? 1;
    const times = (runs[0]?.run.report.series ?? []).map((_, index) => (index + 1) * step);
    const lines = runs.flatMap(({ run }, at) => (this.#isLatency ? latencies : ends)(run, palette, at > 0));
    const { evidence, thresholds, isShare } = evidenceOf(runs, place, palette);
    this.#plots = [
      this.#plot(this.#panes.requests, times, lines, place.seconds, palette, this.#isLatency ? seconds : String, []),
      this.#plot(this.#panes.evidence, times, evidence, place.seconds, palette, isShare ? percent : String, thresholds),
    ];
    caption(this.#captions.requests, this.#isLatency ? 'Mean latency of answers' : 'Requests per second', lines);
    caption(
      this.#captions.evidence,
      isShare ? 'Share in the window, and the threshold' : 'Failures in a row, and the threshold',
      evidence,
    );
  }

  /** Moves the playhead. */
  draw(time: number): void {
    if (time !== this.#time) {
      this.#time = time;
      for (const plot of this.#plots) {
        place(plot, time);
      }
    }
  }

  resize(): void {
    for (const plot of this.#plots) {
      const width = plot.root.parentElement?.clientWidth ?? 0;
      if (width > 0 && width !== plot.width) {
        plot.setSize({ width, height: HEIGHT });
      }
    }
  }

  #plot(
    pane: HTMLElement,
    times: number[],
    lines: Line[],
    length: number,
    palette: Palette,
    format: (value: number) => string,
    thresholds: Threshold[],
  ): UPlot {
    const axis = {
      stroke: palette.soft,
      grid: { stroke: palette.line, width: 1 },
      ticks: { show: false },
      font: '12px system-ui',
    };
    const most = Math.max(
      1e-9,
      ...lines.flatMap(({ values }) => values.map((value) => value ?? 0)),
      ...thresholds.map(({ value }) => value * 1.1),
    );
    const plot = new UPlot(
      {
        width: pane.clientWidth || 600,
        height: HEIGHT,
        padding: [8, RIGHT, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
        scales: { x: { time: false, range: [0, length] }, y: { range: [0, most * 1.08] } },
        axes: [
          {
            ...axis,
            size: 24,
            gap: 5,
            incrs: WHOLE_SECONDS,
            values: (_, ticks) => ticks.map((tick) => clock(tick).split('.')[0] as string),
          },
          { ...axis, size: GUTTER, gap: 6, space: 28, values: (_, ticks) => ticks.map((tick) => format(tick)) },
        ],
        series: [
          {},
          ...lines.map(({ label, color, dash, isArea }) => ({
            label,
            stroke: color,
            width: 1.5,
            points: { show: false },
            ...(dash === undefined ? {} : { dash }),
            ...(isArea === true ? { fill: `color-mix(in srgb, ${color} 16%, transparent)` } : {}),
          })),
        ],
        hooks: { draw: [(drawn) => drawThresholds(drawn, thresholds, palette)] },
      },
      [times, ...lines.map(({ values }) => values)],
      pane,
    );
    plot.over.append(make('div', { class: 'playhead' }));
    plot.root.setAttribute('aria-hidden', 'true');
    place(plot, this.#time);
    this.#listen(plot, thresholds);
    return plot;
  }

  #listen(plot: UPlot, thresholds: Threshold[]): void {
    const near = (event: PointerEvent) =>
      thresholds.find(({ value }) => Math.abs(plot.valToPos(value, 'y') - offset(event, plot).y) < 9);
    let dragged: Threshold | undefined;
    plot.over.addEventListener('pointerdown', (event) => {
      dragged = near(event);
      plot.over.setPointerCapture(event.pointerId);
      if (dragged === undefined) {
        this.#events.onSeek(plot.posToVal(offset(event, plot).x, 'x'));
      }
    });
    plot.over.addEventListener('pointermove', (event) => {
      plot.over.style.cursor = near(event) === undefined ? 'pointer' : 'ns-resize';
      if (dragged !== undefined) {
        const value = plot.posToVal(offset(event, plot).y, 'y');
        dragged.value = dragged.isShare
          ? Math.min(1, Math.max(0.01, Math.round(value * 100) / 100))
          : Math.max(1, Math.round(value));
        plot.redraw(false);
      } else if (event.buttons === 1) {
        this.#events.onSeek(plot.posToVal(offset(event, plot).x, 'x'));
      }
    });
    plot.over.addEventListener('pointerup', () => {
      if (dragged !== undefined) {
        this.#events.onThreshold(dragged.name, dragged.field, dragged.value);
        dragged = undefined;
      }
    });
  }
}

function offset(event: PointerEvent, plot: UPlot): { x: number; y: number } {
  const { left, top } = plot.over.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

function place(plot: UPlot, time: number): void {
  const head = plot.over.querySelector<HTMLElement>('.playhead');
  if (head !== null) {
    head.style.transform = `translateX(${plot.valToPos(time, 'x')}px)`;
  }
}

function seconds(value: number): string {
  return duration(value);
}

function ends({ report }: Played, palette: Palette, isSecond: boolean): Line[] {
  const rate = (of: 'answered' | 'failed' | 'refused') =>
    smoothed(report.series.map((point) => point[of] / report.step_seconds));
  const style = isSecond ? { dash: [5, 4] } : { isArea: true };
  return [
    { label: 'answered', color: palette.closed, values: rate('answered'), ...style },
    { label: 'failed', color: palette.open, values: rate('failed'), ...style },
    { label: 'refused', color: palette.refused, values: rate('refused'), ...style },
  ];
}

/** The mean over a few steps, because a single one holds only a handful of requests. */
function smoothed(values: number[]): number[] {
  return values.map((_, at) => {
    const around = values.slice(Math.max(0, at - 2), at + 3);
    return around.reduce((sum, value) => sum + value, 0) / around.length;
  });
}

function latencies({ report }: Played, palette: Palette, isSecond: boolean): Line[] {
  const values = report.series.map(({ answered, latency_seconds }) =>
    answered === 0 ? null : latency_seconds / answered,
  );
  return [{ label: 'latency', color: palette.ink, values, ...(isSecond ? { dash: [5, 4] } : {}) }];
}

/** The share of failures or of slow calls where a rate is set; otherwise failures in a row. */
function evidenceOf(
  runs: PlottedRun[],
  { worker, provider }: { worker: number; provider: number },
  palette: Palette,
): { evidence: Line[]; thresholds: Threshold[]; isShare: boolean } {
  const configs = runs.map(({ run }) => run.config ?? {});
  const isShare = configs.some(
    (config) =>
      fieldOf(config, 'failure_rate_threshold') != null || fieldOf(config, 'slow_call_rate_threshold') != null,
  );
  const evidence: Line[] = [];
  const thresholds: Threshold[] = [];
  runs.forEach(({ name, run }, at) => {
    const readings = run.readings(worker, provider);
    const fields: [string, string, string, (reading: (typeof readings)[number]) => number][] = isShare
      ? [
          ['failure_rate_threshold', 'failed', palette.open, ({ failed, calls }) => failed / Math.max(1, calls)],
          ['slow_call_rate_threshold', 'slow', palette.half_open, ({ slow, calls }) => slow / Math.max(1, calls)],
        ]
      : [['failure_threshold', 'failures in a row', palette.open, ({ failures }) => failures]];
    for (const [field, label, color, of] of fields) {
      const value = fieldOf(run.config as ConfigDocument, field);
      if (typeof value === 'number') {
        const dash = at > 0 ? { dash: [5, 4] } : {};
        evidence.push({ label, color, values: readings.map(of), ...dash });
        thresholds.push({ name, field, value, isShare });
      }
    }
  });
  return { evidence, thresholds, isShare };
}

function drawThresholds(plot: UPlot, thresholds: Threshold[], palette: Palette): void {
  const { ctx: context, bbox } = plot;
  for (const { name, value } of thresholds) {
    const y = Math.round(plot.valToPos(value, 'y', true));
    context.save();
    context.strokeStyle = palette.ink;
    context.lineWidth = 1.5 * devicePixelRatio;
    context.setLineDash(name === 'A' ? [] : [6 * devicePixelRatio, 4 * devicePixelRatio]);
    context.beginPath();
    context.moveTo(bbox.left, y);
    context.lineTo(bbox.left + bbox.width, y);
    context.stroke();
    context.restore();
  }
}

function caption(element: HTMLElement, title: string, lines: Line[]): void {
  const entry = (label: string, color: string, isDashed: boolean) => {
    const key = make('span', { class: isDashed ? 'key dashed' : 'key' });
    key.style.color = color;
    return make('span', { class: 'entry' }, key, label);
  };
  // One entry for each colour; B's lines are dashed.
  const colors = new Map(lines.map(({ label, color }) => [label, color]));
  const styles = new Set(lines.map(({ dash }) => dash !== undefined));
  const runs = styles.size > 1 ? [entry('A', 'var(--soft)', false), entry('B', 'var(--soft)', true)] : [];
  element.replaceChildren(
    make('b', {}, title),
    ...[...colors].map(([label, color]) => entry(label, color, false)),
    ...runs,
  );
}
