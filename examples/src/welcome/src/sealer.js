// The page's side of sealer_worker.js: one worker, answers matched to calls by number.

/** A block that is not what its id, or its key, says. */
export class TamperError extends Error {
  /** @param {string} message @param {{ id: string, actualId?: string, code: string }} evidence */
  constructor(message, evidence) {
    super(message);
    this.name = "TamperError";
    this.id = evidence.id;
    this.actualId = evidence.actualId ?? "";
    this.code = evidence.code;
  }
}

export class Sealer {
  /** @param {string} workerUrl */
  constructor(workerUrl) {
    this.workerUrl_ = workerUrl;
    /** @type {Worker | null} */
    this.worker_ = null;
    this.seq_ = 0;
    /** @type {Map<number, { resolve: (answer: any) => void, reject: (e: Error) => void }>} */
    this.pending_ = new Map();
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} plaintext is moved away: empty after the call
   * @param {Uint8Array} blockKey
   * @returns {Promise<{ block: Uint8Array<ArrayBuffer>, id: string, ms: number }>}
   */
  seal(plaintext, blockKey) {
    return this.call_({ op: "seal", plaintext, blockKey }, [plaintext.buffer]);
  }

  /**
   * Holds the bytes against the id, then opens them.
   * @param {Uint8Array<ArrayBuffer>} block is moved away, and given back in the answer
   * @param {string} id @param {Uint8Array} blockKey
   * @returns {Promise<{ plaintext: Uint8Array<ArrayBuffer>, block: Uint8Array<ArrayBuffer>,
   *   ms: number }>} rejects with a TamperError
   */
  async open(block, id, blockKey) {
    const answer = await this.call_({ op: "open", block, id, blockKey }, [block.buffer]);
    if (answer.failure === "id") {
      const { actualId } = answer;
      throw new TamperError("The bytes are not those that the id names.", {
        id,
        actualId,
        code: "id",
      });
    }
    if (answer.failure) throw new TamperError(answer.message, { id, code: answer.failure });
    return answer;
  }

  /** @param {object} job @param {Transferable[]} moved @returns {Promise<any>} */
  call_(job, moved) {
    this.worker_ ??= this.start_();
    const worker = this.worker_;
    const seq = ++this.seq_;
    return new Promise((resolve, reject) => {
      this.pending_.set(seq, { resolve, reject });
      worker.postMessage({ ...job, seq }, moved);
    });
  }

  start_() {
    const worker = new Worker(this.workerUrl_, { type: "module" });
    worker.addEventListener("message", ({ data }) => {
      const call = this.pending_.get(data.seq);
      this.pending_.delete(data.seq);
      if (data.crash) call?.reject(new Error(data.crash));
      else call?.resolve(data.answer);
    });
    worker.addEventListener("error", () => {
      worker.terminate();
      this.worker_ = null;
      const calls = [...this.pending_.values()];
      this.pending_.clear();
      for (const call of calls) call.reject(new Error("The sealing worker could not be started."));
    });
    return worker;
  }
}
