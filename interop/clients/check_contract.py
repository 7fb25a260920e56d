"""The data contract tool: lints every contract, and tests two against a published table."""

import client

STAGE, ENVIRONMENT = "contract", "contract"


def check(request):
    """Which contracts are sound, and which fields of the table fail each of two contracts."""
    from datacontract.data_contract import DataContract

    sound = [
        name
        for name, path in request["contracts"].items()
        if DataContract(data_contract_file=path).lint().result == "passed"
    ]
    return {
        "sound": sorted(sound),
        "right": tested(DataContract(data_contract_file=request["right"]).test()),
        "wrong": tested(DataContract(data_contract_file=request["wrong"]).test()),
    }


def tested(run):
    """Whether values were really looked at, and the fields that failed."""
    looked = [one for one in run.checks if one.result == "passed" and one.field]
    failed = {one.field for one in run.checks if one.result in ("failed", "error")}
    return {"checked": len(looked) > 10, "failed": sorted(failed)}


if __name__ == "__main__":
    client.answer(check)
