"""The tables of the papers: which systems they compare.

REMI's and MTMI's baselines have the papers' training (--recipe paper). REMI's table 2 takes the best number of
interests of each baseline: --best_k. Its searches for the learning rates of MIND and Re4 are not repeated. The weight
of "Rep. Reg." is not known: it is SINE's 0.1, in the form of SINE's paper. Re4's three losses have the weights of its
release. MTMI's table has the values that its paper found "by grid search" (--recipe mtmi), its ablation those of its
study.

BaM's protocol: leave one out, 50 items of history, targets from the second item on, lists without the history, weights
chosen by recall@10. BaM validates on 1,000 users that are drawn anew each time; here it is all validation users. BaM
does not say how SASRec is trained: here by its own loss. "REMI and BaM" is REMI's loss on a drawn interest.
"""

from paper_studies.study import SERIAL_K, Asked, paper
from paper_studies.tables import Row, Systems
from remi_tf.errors import InputError

BAM = "--first_target 1 --max_history 50 --exclude_history yes --select recall@10"
RE4 = "--re4_attend 0.001 --re4_contrast 0.1 --re4_construct 0.1"
TOWERS = ("MTMI-DNN", "MTMI-GRU", "MTMI-Q2S")


def refuse_other_splits(asked: Asked) -> None:
    """Raise InputError unless each test user has exactly one target."""
    test = asked.dataset.test
    if (test.lengths - test.cuts != 1).any():
        raise InputError(
            f"{asked.data.path}: {asked.study} asks for one target for each test user, as in BaM's protocol; prepare "
            "the log with --split leave_one_out and give that dataset"
        )


def _loss_rows() -> tuple[Row, ...]:
    rows = []
    for model in TOWERS:
        several = f"{model} --recipe mtmi_study"
        rows += [
            Row(f"{model}, one tower", f"{several} --num_interests 1"),
            Row(f"{model}, towers without weights", f"{several} --idw_alpha 0"),
            Row(f"{model}, weighted towers", several),
        ]
    return tuple(rows)


SYSTEMS = {
    "remi_systems": Systems(
        "REMI, table 2: all systems",
        (
            Row("MostPopular", "Pop --recipe paper"),
            Row("GRU4Rec", paper("GRU4REC")),
            Row("YouTube DNN", paper("DNN")),
            Row("MIND", paper("MIND"), has_k=True),
            Row("ComiRec-SA", paper("SA"), has_k=True),
            Row("Re4", paper("Re4"), has_k=True),
            Row("UMI_HN", paper("UMI_HN"), has_k=True),
            Row("PIMI", paper("PIMI"), has_k=True),
            Row("REMI", paper("SA", ihn=True, rr=True)),
        ),
    ),
    "remi_encoders": Systems(
        "REMI, table 3: IHN and RR on other models",
        tuple(
            Row(f"{name} with REMI" if remi else name, paper(model, ihn=remi, rr=remi))
            for name, model in (("PIMI", "PIMI"), ("UMI_HN", "UMI_HN"), ("ComiRec-SA", "SA"))
            for remi in (False, True)
        ),
    ),
    "remi_regularizers": Systems(
        "REMI, table 4: SA without a regulariser, with Rep. Reg., with Re4's losses, with RR",
        (
            Row("none", paper("SA")),
            Row("Rep. Reg.", paper("SA", more="--rep_lambda 0.1 --rep_form covariance")),
            Row("Re4's losses", paper("SA", more=RE4)),
            Row("RR", paper("SA", rr=True)),
        ),
    ),
    "remi_parts": Systems(
        "REMI, table 5: SA with neither of its ideas, with IHN, with RR, with both",
        (
            Row("neither", paper("SA")),
            Row("IHN", paper("SA", ihn=True)),
            Row("RR", paper("SA", rr=True)),
            Row("IHN and RR", paper("SA", ihn=True, rr=True)),
        ),
    ),
    "remi_interests": Systems(
        "REMI, table 6: REMI with 2, 4, 6 and 8 interests",
        tuple(Row(f"K = {k}", paper("SA", ihn=True, rr=True, more=f"--num_interests {k}")) for k in SERIAL_K),
    ),
    "bam_systems": Systems(
        "BaM, table 2: systems under leave-one-out, for a dataset of that split; give --top_n 10,20",
        (
            Row("GRU4Rec", paper("GRU4REC", more=BAM)),
            Row("SASRec", paper("SASRec", more=f"--loss bce --sampler uniform {BAM}")),
            Row("ComiRec-SA", paper("SA", more=BAM)),
            Row("REMI", paper("SA", ihn=True, rr=True, more=BAM)),
            Row("BaM", paper("BaM", more=BAM)),
            Row("REMI and BaM", paper("SA", ihn=True, rr=True, more=f"--readout sampled {BAM}")),
        ),
        history="yes",
        refuse=refuse_other_splits,
    ),
    "mtmi_loss": Systems("MTMI, figure 3: one tower, several towers, towers with weights", _loss_rows()),
    "mtmi_systems": Systems(
        "MTMI, table 3: its three models and their single towers, MIND and ComiRec",
        (
            *(
                Row(name, paper(model, more="--max_history 20"))  # as its own models have
                for name, model in (
                    ("YouTube DNN", "DNN"),
                    ("GRU4Rec", "GRU4REC"),
                    ("Que2Search", "Que2Search"),
                    ("MIND", "MIND"),
                    ("ComiRec-SA", "SA"),
                    ("ComiRec-DR", "DR"),
                )
            ),
            *(Row(model, f"{model} --recipe mtmi") for model in TOWERS),
        ),
    ),
}
