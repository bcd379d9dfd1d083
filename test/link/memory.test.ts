import { systemClock } from '../../src/domain/index.ts'
import { Flusher, linkPair } from '../../src/link/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { linkCompliance, Recorder } from '../compliance/link.ts'

linkCompliance('memory', {
  async setup(overrides = {}) {
    const limits = resolveLimits(overrides)
    const [near, far] = linkPair({ limits, flusher: new Flusher(limits, systemClock) })
    const [nearRecorder, farRecorder] = [new Recorder(), new Recorder()]
    near.attach(nearRecorder)
    far.attach(farRecorder)
    return { near, nearRecorder, far, farRecorder, breakFar: () => far.terminate() }
  },
  async teardown() {},
})
