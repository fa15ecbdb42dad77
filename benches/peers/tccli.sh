#!/usr/bin/env bash
# What a shell script around the vendor's command line does: stop, key, password, resize, start, each awaited with
# tccli's own waiter, as many instances side by side as there are processors: a process of tccli keeps one busy for a while.
#
#   tccli.sh ENDPOINT < ids
#
# Needs tccli, xargs; TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY and NEW_PASSWORD in the environment.
set -euo pipefail

export ENDPOINT=$1

call() {
    tccli cvm "$@" --region ap-guangzhou --endpoint "$ENDPOINT" --language en-US
}

# Waits until the operation that this request began has ended well: `LatestOperationState` alone may still speak of the
# operation before. The waiter looks every 5 s, which is tccli's default.
ended() {
    local instance=$1 request=$2
    call DescribeInstances --InstanceIds "[\"$instance\"]" --waiter "{
        \"expr\": \"join(' ', InstanceSet[0].[LatestOperationRequestId, LatestOperationState])\",
        \"to\": \"$request SUCCESS\", \"timeout\": 900, \"interval\": 5}" >&2
}

change() {
    local instance=$1 action=$2
    shift 2
    local request
    request=$(call "$action" --InstanceIds "[\"$instance\"]" "$@" --filter RequestId | tr -d '"')
    ended "$instance" "$request"
}

pit_stop() {
    set -euo pipefail
    change "$1" StopInstances --StopType SOFT --StoppedMode KEEP_CHARGING
    # The key first: loading one switches login by password off.
    change "$1" AssociateInstancesKeyPairs --KeyIds '["skey-0ops0001"]'
    change "$1" ResetInstancesPassword --Password "$NEW_PASSWORD"
    change "$1" ResetInstancesType --InstanceType S5.LARGE8
    change "$1" StartInstances
}

export -f call ended change pit_stop
xargs -P "$(nproc)" -I '{}' bash -c 'pit_stop {}'
