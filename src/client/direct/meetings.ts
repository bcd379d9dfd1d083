// How devices of contacts come to direct links. Whoever wishes for one offers; whoever is offered one answers; then both dial.
//
//   reach() ──due──▶ direct.devices ──▶ door open ──▶ direct.offer ──answer──▶ attempt ──▶ link ──lost──▶ due again
//     wish.ts          rendezvous.ts     doorway.ts      offer.ts               attempt.ts
//   direct.offered ──▶ direct.devices ──▶ door open ──▶ direct.offer ─────────────┘
//
// Links outlive the connection to the server; whether their devices are still good is asked as soon as there is another one.

import { nameKey } from '../../domain/case-fold.ts'
import type { Timer } from '../../domain/clock.ts'
import type { EventData, ParsedEvent, Params } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/index.ts'
import { sameBytes } from '../../protocol/same-bytes.ts'
import type { LoggedIn } from '../uplink.ts'
import { tokenRefused } from './attempt.ts'
import { type AttemptStart, Attempts, type PeerAttempt } from './attempts.ts'
import { Doorway } from './doorway.ts'
import { Inquiries, whyNot } from './inquiries.ts'
import type { MeetingsParts } from './meetings-parts.ts'
import { type Offer, Offers } from './offer.ts'
import { OfferRate, type Spend } from './offer-rate.ts'
import type { Partner } from './partner.ts'
import { Partners } from './partners.ts'
import type { PeerDevice, PeerLink } from './peer-link.ts'
import { Rendezvous } from './rendezvous.ts'
import type { Way, WhyRelayed } from './ways.ts'
import { Wish } from './wish.ts'

type DirectOffered = EventData<'direct.offered'>

export class Meetings {
  readonly #parts: MeetingsParts
  readonly #rate: OfferRate
  readonly #rendezvous: Rendezvous
  readonly #inquiries: Inquiries
  readonly #door: Doorway
  readonly #attempts: Attempts
  readonly #partners: Partners
  readonly #offers: Offers
  #ownKey = ''
  #due: Timer | undefined
  #isClosed = false

  constructor(parts: MeetingsParts) {
    this.#parts = parts
    const { call, clock, limits, authorities, identity, listen, dial, host, port, announce, answers, checksum } = parts
    const peer = { clock, limits, answers, ...(checksum === undefined ? {} : { checksum }) }
    this.#rate = new OfferRate(clock, limits)
    this.#offers = new Offers(parts, (offer) => this.#door.leave(offer))
    const rendezvous = new Rendezvous({
      ...{ call, clock, limits, authorities },
      ready: () => this.#ready(),
      forgotten: (key) => this.#doubt(this.#partners.find(key)),
    })
    const verify = rendezvous.verify.bind(rendezvous)
    this.#rendezvous = rendezvous
    this.#inquiries = new Inquiries({ call, rendezvous, clock, limits, ended: (partner, devices) => this.#drop(partner, devices) })
    this.#partners = new Partners({ limits, isServerHere: () => rendezvous.isHere, changed: (name, way) => this.#changed(name, way) })
    this.#door = new Doorway({
      ...{ listen, host, port, announce, peer, greetingsMax: limits.directGreetingsMax },
      identity: () => identity().certificate,
      verify: (certificate) => verify(certificate, { has: (spki) => this.#expected(spki) !== undefined }),
      identify: (spki) => this.#expected(spki),
      admit: (token, device) => this.#admit(token, device),
    })
    this.#attempts = new Attempts({
      ...{ peer, identity, dial, verify },
      assure: (start) => this.#assure(start),
      linked: (start, link) => this.#adopt(start, link),
      ended: ({ partner }, attempt, why) => this.#attempted(partner, attempt, why),
    })
  }

  /** Whether there is a port at which others can connect now. */
  get isListening(): boolean {
    return this.#door.isOpen
  }

  /** There is a connection to the server, or another one. */
  online({ name }: Pick<LoggedIn, 'name'>): void {
    this.#ownKey = nameKey(name)
    if (!this.#isClosed) this.#rendezvous.online()
  }

  /** The connection is lost. Links live on. */
  offline(): void {
    this.#rendezvous.offline()
    this.#inquiries.stop()
    for (const partner of this.#partners) this.#partners.tell(partner)
  }

  /** What the server tells: offers, and devices that have ended. */
  event(event: ParsedEvent): void {
    if (this.#isClosed) return
    if (event.event === 'direct.offered') this.#offeredOrFailed(event.data)
    if (event.event === 'direct.revoked') this.#revoked(event.data.device)
  }

  /** Wishes for a link with somebody. Of more than 100 wishes the one that was renewed longest ago ends; its link lives on. */
  reach(name: string): void {
    const key = nameKey(name)
    if (this.#isClosed || key === this.#ownKey) return
    this.#partners.wish(name, () => new Wish(this.#parts, this.#parts.clock.monotonic()))
    this.#plan()
  }

  /** Ends the wish and the links with somebody, and takes no offers of theirs until `reach`. */
  leave(name: string): void {
    this.#partners.shun(name)
    const partner = this.#partners.find(name)
    if (partner === undefined) return
    this.#offers.end(partner.key)
    for (const { device } of partner.devices.values()) this.#attempts.end(device, undefined)
    for (const { link } of partner.links.values()) link.close()
    this.#partners.unwish(partner)
  }

  /** How one talks with somebody now. */
  wayTo(name: string): Way {
    return this.#partners.wayTo(name)
  }

  /** The links with devices of somebody. */
  links(name: string): readonly PeerLink[] {
    return [...(this.#partners.find(name)?.links.values() ?? [])].map(({ link }) => link)
  }

  /** The network may be back, or another one: what waits is tried at once, as far as the rate of offers lets it. */
  wake(): void {
    const now = this.#parts.clock.monotonic()
    for (const { wish } of this.#partners) wish?.hasten(now)
    this.#plan()
  }

  /** Ends everything: what was written is handed over, nobody connects any more, and no timer is left. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#due?.cancel()
    this.#rendezvous.offline()
    this.#inquiries.stop()
    this.#offers.close()
    this.#attempts.close()
    for (const partner of this.#partners) for (const { link } of partner.links.values()) link.close()
    await this.#door.close()
  }

  #ready(): void {
    const now = this.#parts.clock.monotonic()
    for (const partner of this.#partners) {
      this.#doubt(partner)
      partner.wish?.hasten(now)
      this.#partners.tell(partner)
    }
    this.#plan()
  }

  // Wishes of our own.

  /** Begins what is due, as long as offers may be made, and comes again when the next one is. */
  #plan(): void {
    this.#due?.cancel()
    while (!this.#isClosed && this.#rendezvous.isHere) {
      const now = this.#parts.clock.monotonic()
      const next = this.#partners.next(now)
      if (next === undefined) return
      const waitMs = Math.max(next.wish.dueAt - now, this.#rate.waitMs)
      const spend = waitMs > 0 ? undefined : this.#rate.offer()
      if (spend === undefined) return this.#planIn(waitMs)
      void this.#try(next.partner, spend)
    }
  }

  /** Where the wait is for an offer that is about to be made, it is planned anew behind it. */
  #planIn(waitMs: number): void {
    if (Number.isFinite(waitMs)) this.#due = this.#parts.clock.after(waitMs, () => this.#plan())
  }

  async #try(partner: Partner, spend: Spend): Promise<void> {
    const offer = this.#offers.make(partner.key)
    partner.underWay.add(offer)
    this.#partners.tell(partner)
    const why = await this.#make(partner, offer, spend).catch((reason: unknown) => {
      offer.end()
      return whyNot(reason)
    })
    // Who was offered nothing keeps nobody else from being offered something.
    spend.dropped()
    partner.underWay.delete(offer)
    this.#settle(partner, why)
  }

  /** Why it came to nothing; `undefined` when something else comes of it. */
  async #make(partner: Partner, offer: Offer, spend: Spend): Promise<WhyRelayed | undefined> {
    await this.#inquiries.ask(partner)
    if (partner.devices.size === 0) return 'not_listening'
    if (this.#isClosed) return undefined
    this.#offers.place(partner.key, offer)
    const candidates = await this.#door.open(offer, this.#rendezvous.address)
    // Meanwhile the other one may have offered, or be here.
    if (offer.isOver || partner.underWay.size > 1 || partner.links.size > 0 || partner.wish === undefined) return void offer.end()
    spend.made()
    offer.sent()
    const told = await this.#rendezvous.offer({ to: partner.name, token: offer.token, candidates: [...candidates] })
    if (told === 0) offer.end()
    return (await offer.answered) ? undefined : 'not_listening'
  }

  /** Something that was under way is over. */
  #settle(partner: Partner, why: WhyRelayed | undefined): void {
    partner.blame(why)
    if (partner.underWay.size > 0) return
    const blamed = partner.settle()
    if (partner.isWaiting && this.#rendezvous.isHere && blamed !== undefined) {
      partner.wish?.failed(this.#parts.clock.monotonic(), blamed)
    }
    this.#partners.tell(partner)
    this.#plan()
  }

  #attempted(partner: Partner, attempt: PeerAttempt, why: WhyRelayed | undefined): void {
    this.#door.leave(attempt)
    this.#settle(partner, why)
  }

  // Offers of others.

  /** What goes wrong here, such as a device file that cannot be read, is this attempt's alone: the events of the session go on. */
  #offeredOrFailed(offered: DirectOffered): void {
    try {
      this.#offered(offered)
    } catch {
      this.#partners.find(offered.from)?.blame('unreachable')
      this.#offers.end(nameKey(offered.from))
      this.#attempts.end(offered.device, 'unreachable')
    }
  }

  #offered(offered: DirectOffered): void {
    const key = nameKey(offered.from)
    if (this.#partners.isShunned(key)) return
    const own = this.#offers.find(key)
    if (own !== undefined && sameBytes(own.token, offered.token)) return this.#answered(own, offered)
    const known = this.#attempts.find(offered.device, offered.token)
    if (known !== undefined) return known.dial(offered.candidates)
    const spend = own?.outlasts(offered.token) === true ? undefined : this.#rate.answer(key)
    if (spend === undefined) return
    own?.giveUp(offered.device)
    void this.#answer(this.#partners.of(offered.from), offered, spend)
  }

  /** Our offer was. */
  #answered(offer: Offer, { from, device, token, candidates }: DirectOffered): void {
    const partner = this.#partners.find(from)
    if (partner === undefined) return
    const attempt = this.#attempts.find(device, token) ?? this.#begin(partner, offer, { device, token })
    attempt?.dial(candidates)
  }

  /** Theirs is. */
  async #answer(partner: Partner, { from, device, token, candidates }: DirectOffered, spend: Spend): Promise<void> {
    partner.named(from)
    const answering = {}
    partner.underWay.add(answering)
    try {
      await this.#inquiries.ask(partner)
      const peer = partner.device(device)
      if (peer === undefined || this.#isClosed || this.#partners.isShunned(partner.key)) return
      const attempt = this.#attempts.start({ partner, peer, token, lifeMs: this.#parts.limits.directTokenMsMax })
      const own = await this.#door.open(attempt, this.#rendezvous.address)
      if (attempt.isOver) return
      spend.made()
      void this.#tellAnswer(attempt, { to: from, device, token, candidates: [...own] })
      attempt.dial(candidates)
    } catch {
      // They offer again.
    } finally {
      spend.made()
      partner.underWay.delete(answering)
      this.#settle(partner, undefined)
    }
  }

  async #tellAnswer(attempt: PeerAttempt, answer: Params<'direct.offer'>): Promise<void> {
    try {
      if ((await this.#rendezvous.offer(answer)) === 0) attempt.end('not_listening')
    } catch {
      // They know our device, and may be there all the same.
    }
  }

  /** An attempt by the token of our own offer, where the device may still use it. */
  #begin(partner: Partner, offer: Offer, { device, token }: { device: string; token: Uint8Array }): PeerAttempt | undefined {
    const peer = partner.device(device)
    if (peer === undefined || !offer.take(token, device)) return undefined
    const attempt = this.#attempts.start({ partner, peer, token, lifeMs: offer.lifeMs })
    void this.#door.open(attempt, undefined)
    return attempt
  }

  // Whoever connects.

  /** A device with which something is under way. */
  #expected(spki: string): PeerDevice | undefined {
    const partner = this.#partners.owner(spki)
    if (partner === undefined) return undefined
    return partner.underWay.size > 0 || this.#offers.find(partner.key) !== undefined ? partner.devices.get(spki) : undefined
  }

  /** @throws {SealwireError} `not_permitted`, `conflict`, and what `assure` throws. */
  async #admit(token: Uint8Array, { device, spki }: PeerDevice): Promise<PeerAttempt> {
    const partner = this.#partners.owner(spki)
    if (partner !== undefined) await this.#inquiries.assure(partner)
    const attempt = this.#attempts.find(device, token) ?? this.#beginFor(spki, { device, token })
    if (attempt === undefined) throw tokenRefused()
    await attempt.admit()
    return attempt
  }

  /** The hello of a device may be here before its answer. */
  #beginFor(spki: string, hello: { device: string; token: Uint8Array }): PeerAttempt | undefined {
    const partner = this.#partners.owner(spki)
    const offer = partner && this.#offers.find(partner.key)
    return partner && offer && this.#begin(partner, offer, hello)
  }

  /** Whether a device that is dialled is still one of theirs. @throws {SealwireError} `untrusted`, and what `assure` throws. */
  async #assure({ partner, peer }: AttemptStart): Promise<void> {
    await this.#inquiries.assure(partner)
    if (partner.device(peer.device)?.spki !== peer.spki) throw badDevice()
  }

  // Links.

  #adopt({ partner, peer }: AttemptStart, link: PeerLink): void {
    const { limits, clock } = this.#parts
    const before = partner.links.get(peer.device)
    if (before === undefined && this.#partners.links >= limits.directLinksMax) {
      partner.blame('unreachable')
      return link.close(new SealwireError('busy', 'there are too many direct links'))
    }
    partner.links.set(peer.device, { link, since: clock.monotonic() })
    before?.link.close(new SealwireError('conflict', 'another link with the same device has taken the place of this one'))
    void link.closed.then(() => this.#lost(partner, link))
    this.#parts.linked(link)
    this.#partners.tell(partner)
    // There is another session since its hello, or so many others were asked for: nobody would tell of its end.
    if (this.#rendezvous.isHere && !this.#rendezvous.watches(partner.key)) this.#doubt(partner)
  }

  #lost(partner: Partner, link: PeerLink): void {
    const linked = partner.links.get(link.peer.device)
    if (linked?.link !== link) return
    partner.links.delete(link.peer.device)
    const now = this.#parts.clock.monotonic()
    if (partner.links.size === 0) partner.wish?.lost(now, now - linked.since)
    this.#partners.tell(partner)
    this.#plan()
  }

  #revoked(device: string): void {
    this.#inquiries.revoked(device)
    for (const partner of this.#partners) {
      const others = [...partner.devices.values()].filter((each) => each.device !== device)
      if (others.length < partner.devices.size) this.#drop(partner, partner.list(others))
    }
  }

  /** These devices of theirs are good no more: at once. */
  #drop(partner: Partner, devices: readonly string[]): void {
    if (partner.devices.size === 0) this.#offers.end(partner.key)
    for (const device of devices) {
      this.#attempts.end(device, 'lost')
      partner.links.get(device)?.link.terminate(badDevice())
    }
  }

  #doubt(partner: Partner | undefined): void {
    if (partner !== undefined && partner.links.size > 0) this.#inquiries.doubt(partner)
  }

  #changed(name: string, way: Way): void {
    if (!this.#isClosed) this.#parts.changed(name, way)
  }
}

function badDevice(): SealwireError {
  return new SealwireError('untrusted', 'the other device may make no direct links any more')
}
